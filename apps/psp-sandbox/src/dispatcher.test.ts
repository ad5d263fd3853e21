import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pino } from 'pino'
import { openBooks } from './books.ts'
import type { Charge } from './charges.ts'
import { startDispatcher } from './dispatcher.ts'
import { quiet } from './knobs.ts'
import { createOutbox } from './outbox.ts'

test('a failed delivery is retried later and later, the same event signed afresh', async (t) => {
  const start = 1_700_000_000_000
  t.mock.timers.enable({ apis: ['Date', 'setTimeout'], now: start })
  const outbox = createOutbox(openBooks(':memory:'))
  const charge = { id: 'ch_1', reference: 'retried' } as Charge
  outbox.add('charge.captured', { charge }, quiet.webhook)
  const answers = [500, 302, 404, 204]
  const tries: { at: number; body: string; signedAt: number }[] = []
  const dispatcher = startDispatcher({
    ...{ outbox, url: 'http://127.0.0.1:9/', secret: 'a secret', log: pino({ level: 'silent' }) },
    post: async (_, body, signature) => {
      tries.push({ at: Date.now() - start, body, signedAt: Number(/^t=(\d+),/.exec(signature)?.[1]) * 1000 })
      return { status: answers[tries.length - 1] ?? 200, error: null }
    },
  })
  for (let ms = 0; ms < 10_000; ms += 1) {
    // The outcome of a try is noted a few turns after it.
    for (let turn = 0; turn < 3; turn += 1) await Promise.resolve()
    t.mock.timers.tick(1)
  }
  await dispatcher.stop()
  assert.deepEqual(
    tries.map(({ at }) => at),
    [0, 500, 1500, 3500],
  )
  assert.equal(new Set(tries.map(({ body }) => body)).size, 1)
  for (const { at, signedAt } of tries) assert.equal(signedAt, Math.floor((start + at) / 1000) * 1000)
})
