import { readFileSync } from 'node:fs'
import { join } from 'node:path'

// Preloaded into an app (--import): its Date runs by as many milliseconds off as the file named after the app says, from
// within 50 ms after the file is written. Timers and performance.now() are not shifted, as they are not by a real jump.

const file = join(String(process.env.CLOCKS), process.env.APP_ID ?? 'psp-sandbox')
const RealDate = Date
let offset = 0
const read = () => {
  try {
    offset = Number(readFileSync(file, 'utf8'))
  } catch {
    offset = 0
  }
}
read()
setInterval(read, 50).unref()

const now = () => RealDate.now() + offset
const ShiftedDate = new Proxy(RealDate, {
  construct: (target, args, own) => Reflect.construct(target, args.length === 0 ? [now()] : args, own),
  apply: () => new RealDate(now()).toString(),
  get: (target, key) => (key === 'now' ? now : Reflect.get(target, key)),
})
Object.defineProperty(RealDate.prototype, 'constructor', { value: ShiftedDate })
globalThis.Date = ShiftedDate
