import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { createSidecar, type Sidecar } from '@caravan/service-kit/sidecar'
import { startRealSidecar } from '@caravan/service-kit/testing/real-sidecar'
import { createInbox } from '../../apps/mail-sandbox/src/inbox.ts'

/** `MAILS=10000 npm test -- tests/drills/mail-storm.test.ts` is the whole storm. */
const mails = Number(process.env.MAILS ?? 128)
const askers = 64
const token = 'a-token-of-the-sidecar'

const inbox = createInbox(mails)
/** Of the server at a time. Two calls of the component at once mix their fields so seldom that a small storm may miss it. */
const underWay = { now: 0, most: 0 }
const { server } = inbox
const receive = server.onData.bind(server)
server.onMailFrom = (_address, _session, next) => {
  underWay.now += 1
  underWay.most = Math.max(underWay.most, underWay.now)
  next()
}
server.onData = (stream, session, done) =>
  receive(stream, session, (...answer) => {
    underWay.now -= 1
    done(...answer)
  })

let real: Awaited<ReturnType<typeof startRealSidecar>>
let sidecar: Sidecar
before(async () => {
  inbox.server.listen(0, '127.0.0.1')
  await once(inbox.server.server, 'listening')
  const { port } = inbox.server.server.address() as AddressInfo
  real = await startRealSidecar({
    ...{ app: 'identity', token, secrets: {}, items: {}, listener: (_, response) => response.end('[]') },
    components: [
      ['mail', 'bindings.smtp', { host: '127.0.0.1', port: `${port}`, emailFrom: 'shop@example.com' }],
    ],
  })
  sidecar = createSidecar({ port: real.port, token })
  await sidecar.ready(10_000)
})
after(async () => {
  await sidecar?.close()
  await real?.stop()
  await new Promise<void>((closed) => inbox.server.close(closed))
})

test(`${mails} mails of ${askers} askers at once each have their own recipient, subject and body`, async (t) => {
  let next = 0
  const ask = async () => {
    while (next < mails) {
      const n = next
      next += 1
      const metadata = { emailTo: `${n}@example.com`, subject: `mail ${n}` }
      await sidecar.bind('mail', 'create', `<p>for ${n}</p>`, metadata)
    }
  }
  const start = performance.now()
  await Promise.all(Array.from({ length: askers }, ask))
  const seconds = (performance.now() - start) / 1000
  t.diagnostic(`${mails} mails in ${seconds.toFixed(1)} s: ${Math.round(mails / seconds)} a second`)
  const received = inbox
    .list()
    .map(({ to, subject, html, from }) => `${from} ${to} ${subject} ${html.trim()}`)
  const wanted = Array.from(
    { length: mails },
    (_, n) => `shop@example.com ${n}@example.com mail ${n} <p>for ${n}</p>`,
  )
  assert.deepEqual(received.sort(), wanted.sort())
  assert.deepEqual(underWay, { now: 0, most: 1 }, 'one after another')
})
