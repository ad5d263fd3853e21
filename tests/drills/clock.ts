import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stackFolder } from '../../tools/launcher/stack-file.ts'
import { apps, type Drill } from './field.ts'

const folder = join(stackFolder('drill'), 'clocks')
const preload = fileURLToPath(new URL('./shifted-clock.ts', import.meta.url))
const hour = 3_600_000

const shift = async (who: string, ms: number) => writeFileSync(join(folder, who), String(ms))

export const clock: Drill = {
  name: 'clock',
  what:
    'the clock of one app, or of the provider, jumps an hour forwards or backwards and, seconds later, back; the clocks of the ' +
    'sidecars, of MySQL and of the clients stay. Requests may be refused meanwhile; nothing may be lost or done twice',
  /** Of each app in each direction. */
  rounds: 1,
  prepare: async () => {
    mkdirSync(folder, { recursive: true })
    return { options: { env: { '*': { CLOCKS: folder, NODE_OPTIONS: `--import ${preload}` } } } }
  },
  run: async ({ rounds, holdMs, hold, recovered }) => {
    for (let round = 0; round < rounds; round++)
      for (const who of [...apps, 'psp-sandbox'])
        for (const [direction, ms] of [
          ['ahead', hour],
          ['behind', -hour],
        ] as const) {
          await hold(
            `${who} an hour ${direction}`,
            holdMs,
            () => shift(who, ms),
            () => shift(who, 0),
          )
          await recovered()
        }
    return undefined
  },
  mayEnd: (what) => what.includes(' 401 '),
}
