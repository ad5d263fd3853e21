import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createIdempotency, type Once } from '@caravan/service-kit/idempotency'
import { newId } from '@caravan/service-kit/ids'
import { createLog } from '@caravan/service-kit/log'
import { createOutbox } from '@caravan/service-kit/outbox'
import { createTestDatabase, type TestDatabase } from '@caravan/service-kit/testing/test-database'
import { type CodeBatchStore, createCodeBatchStore } from './code-batch-store.ts'
import { createCodeGuessStore } from './code-guess-store.ts'
import { type CodeStore, createCodeStore } from './code-store.ts'
import { createInquireCodes } from './inquire-codes.ts'
import { createPromotionStore, type PromotionContent } from './promotion-store.ts'

let database: TestDatabase
let codes: CodeStore
let batches: CodeBatchStore
let put: (id: string, changed?: Partial<PromotionContent>) => Promise<unknown>

const content: PromotionContent = {
  name: { en: 'A tenth off' },
  trigger: 'code',
  status: 'active',
  window: { timeZone: 'UTC' },
  currency: 'EUR',
  conditions: {},
  effect: { kind: 'percent', basisPoints: 1000, of: 'order' },
  priority: 0,
  combination: 'stacked',
  limits: {},
}

before(async () => {
  database = await createTestDatabase(new URL('../migrations/', import.meta.url))
  const { db } = database
  const log = createLog('promotions', 'silent')
  const sidecar = { publish: async () => new Set<string>() }
  const promotions = createPromotionStore(db, createOutbox({ name: 'promotions', db, sidecar, log }))
  codes = createCodeStore(db)
  batches = createCodeBatchStore(db)
  put = (id, changed) => promotions.put(id, { ...content, ...changed }, {}, unconditional)
})
after(() => database.drop())

const unconditional = () => {}
const active = { status: 'active' } as const
const promotion = async (changed?: Partial<PromotionContent>) => {
  const id = newId()
  await put(id, changed)
  return id
}
const notFound = { code: 'promotions/code-not-found', status: 404 }

describe('a code', () => {
  test('is read as it was written, and written again', async () => {
    const [id, customer] = [await promotion(), newId()]
    const first = await codes.put(id, 'WELCOME10', { ...active, uses: 5 }, unconditional)
    assert.partialDeepStrictEqual(first, { code: 'WELCOME10', promotionId: id, status: 'active', uses: 5 })
    assert.deepEqual(await codes.get(id, 'WELCOME10'), first)
    const { createdAt, promotionId, code } = first
    const second = await codes.put(id, 'WELCOME10', { status: 'paused', customer }, unconditional)
    assert.deepEqual(second, { code, promotionId, status: 'paused', customer, createdAt })
  })

  test('is one promotion’s for ever, withdrawn or not', async () => {
    const [one, other] = [await promotion(), await promotion()]
    await codes.put(one, 'TAKEN', active, unconditional)
    const taken = { code: 'promotions/code-taken', status: 409 }
    await assert.rejects(codes.put(other, 'TAKEN', active, unconditional), taken)
    await assert.rejects(codes.get(other, 'TAKEN'), notFound)
    await assert.rejects(codes.withdraw(other, 'TAKEN', unconditional), notFound)
    await codes.withdraw(one, 'TAKEN', unconditional)
    await assert.rejects(codes.get(one, 'TAKEN'), notFound)
    await assert.rejects(codes.withdraw(one, 'TAKEN', unconditional), notFound)
    assert.deepEqual((await codes.list(one, { limit: 10 })).data, [])
    await assert.rejects(codes.put(other, 'TAKEN', active, unconditional), taken)
    await codes.put(one, 'TAKEN', active, unconditional)
    assert.equal((await codes.get(one, 'TAKEN')).status, 'active')
  })

  test('is of a promotion that there is, and that comes by codes', async () => {
    await assert.rejects(codes.put(newId(), 'LOST', active, unconditional), { code: 'promotions/not-found' })
    const automatic = await promotion({ trigger: 'automatic' })
    await assert.rejects(codes.put(automatic, 'LOST', active, unconditional), {
      code: 'promotions/not-by-code',
    })
  })

  test('has no fewer uses than orders have it by now', async () => {
    const id = await promotion()
    await codes.put(id, 'WORN', active, unconditional)
    await database.db('codes').where({ code: 'WORN' }).update({ used: 2 })
    const passed = { code: 'promotions/limit-passed', status: 409 }
    await assert.rejects(codes.put(id, 'WORN', { ...active, uses: 1 }, unconditional), passed)
    assert.equal((await codes.put(id, 'WORN', { ...active, uses: 2 }, unconditional)).uses, 2)
  })

  test('is written under its precondition, which sees nothing of what is withdrawn', async () => {
    const id = await promotion()
    const seen: unknown[] = []
    const see = (current: unknown) => seen.push((current as { status?: string })?.status)
    await codes.put(id, 'SEEN', active, see)
    await codes.put(id, 'SEEN', { status: 'paused' }, see)
    await codes.withdraw(id, 'SEEN', see)
    await codes.put(id, 'SEEN', active, see)
    assert.deepEqual(seen, [undefined, 'active', 'paused', undefined])
  })
})

/** As a request with a key of its own has it. */
const once = async (): Promise<Once> => {
  const claim = await createIdempotency(database.db).claim(`${newId()} makeCodes`, newId(), 'request')
  assert.ok('record' in claim)
  return claim
}
const all = async (id: string, batchId: string) => {
  const found: string[] = []
  for (let after: string | undefined; ; ) {
    const page = await codes.list(id, { batchId, after, limit: 10_000 })
    for (const { code, uses, used, status } of page.data) {
      assert.deepEqual([uses, used, status], [2, 0, 'active'])
      found.push(code)
    }
    after = page.next
    if (!after) return found
  }
}

describe('a batch', () => {
  const order = async (id: string, count: number, length = 10) =>
    batches.order(id, { count, length, uses: 2, prefix: 'TEA-' }, await once())

  test('of a hundred thousand has as many codes, each another, without what looks alike, whoever makes them', async () => {
    const id = await promotion()
    const { id: batch, made } = await order(id, 100_000)
    assert.equal(made, 0)
    const work = async () => {
      while (await batches.makeSome());
    }
    await Promise.all([work(), work(), work()])
    assert.equal((await batches.get(id, batch)).made, 100_000)
    const found = await all(id, batch)
    assert.equal(new Set(found).size, 100_000)
    for (const code of found) assert.match(code, /^TEA-[CDFGHJKMNPQRTVWXY34679]{10}$/)
  })

  test('has what it was ordered with, though most of its codes would be some that are there', async () => {
    const id = await promotion()
    // Of two characters there are 484.
    const [first, second] = [await order(id, 300, 2), await order(id, 180, 2)]
    while (await batches.makeSome());
    assert.deepEqual([(await all(id, first.id)).length, (await all(id, second.id)).length], [300, 180])
  })

  test('is listed with those of its promotion, the newest first', async () => {
    const [id, other] = [await promotion(), await promotion()]
    const [first, second, third] = [await order(id, 1), await order(id, 1), await order(id, 1)]
    const page = await batches.list(id, 2)
    assert.deepEqual(
      page.data.map((each) => each.id),
      [third.id, second.id],
    )
    assert.deepEqual((await batches.list(id, 2, page.next)).data, [first])
    assert.deepEqual(await batches.list(other, 2), { data: [], hasMore: false })
    const missing = { code: 'promotions/batch-not-found', status: 404 }
    await assert.rejects(batches.get(other, first.id), missing)
    while (await batches.makeSome());
    assert.deepEqual((await batches.get(id, first.id)).made, 1)
  })
})

describe('an inquiry', () => {
  const limits = { guesses: 10, windowSeconds: 60 }
  const inquire = () => createInquireCodes(codes, createCodeGuessStore(database.db, limits))
  const missing = (code: string) => ({ code, outcome: 'not-found' })

  test('tells of which promotion a code is; wrong, withdrawn, paused, another’s: all are not found', async () => {
    const [id, paused, mei] = [await promotion(), await promotion({ status: 'paused' }), newId()]
    await codes.put(id, 'GOOD', active, unconditional)
    await codes.put(id, 'PAUSED', { status: 'paused' }, unconditional)
    await codes.put(id, 'GONE', active, unconditional)
    await codes.withdraw(id, 'GONE', unconditional)
    await codes.put(id, 'MEIS', { ...active, customer: mei }, unconditional)
    await codes.put(paused, 'OF-PAUSED', active, unconditional)
    const asked = ['GOOD', 'PAUSED', 'GONE', 'OF-PAUSED', 'MEIS']
    const good = { code: 'GOOD', outcome: 'found', promotionId: id }
    assert.deepEqual(await inquire()(newId(), asked), {
      outcome: 'answered',
      data: [good, ...asked.slice(1).map(missing)],
    })
    assert.deepEqual(await inquire()(mei, ['WRONG', 'MEIS']), {
      outcome: 'answered',
      data: [missing('WRONG'), { code: 'MEIS', outcome: 'found', promotionId: id }],
    })
  })

  test('is slow for who guesses, also with a hundred questions at once, and tells nothing of what is right then', async () => {
    const [id, guesser, other] = [await promotion(), newId(), newId()]
    await codes.put(id, 'RIGHT', active, unconditional)
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, n) => inquire()(guesser, [`WRONG-${n}`, `FALSE-${n}`])),
    )
    assert.equal(answers.filter(({ outcome }) => outcome === 'answered').length, 5)
    const refused = await inquire()(guesser, ['RIGHT'])
    assert.equal(refused.outcome, 'too-many')
    assert.ok('retryAfterSeconds' in refused && refused.retryAfterSeconds >= 1)
    assert.ok('retryAfterSeconds' in refused && refused.retryAfterSeconds <= limits.windowSeconds)
    assert.equal((await inquire()(other, ['RIGHT'])).outcome, 'answered')
  })

  test('for codes that are right costs nothing, however often', async () => {
    const [id, shopper] = [await promotion(), newId()]
    await codes.put(id, 'AGAIN', active, unconditional)
    for (let n = 0; n < 3 * limits.guesses; n += 1)
      assert.equal((await inquire()(shopper, ['AGAIN'])).outcome, 'answered')
  })

  test('may be made again when the window is over; what is over is forgotten', async () => {
    const guesser = newId()
    const ask = () => inquire()(guesser, ['A-1', 'A-2', 'A-3', 'A-4', 'A-5'])
    await ask()
    await ask()
    assert.equal((await ask()).outcome, 'too-many')
    const guesses = database.db('code_guesses').where({ customer: guesser })
    await guesses.clone().update({ until: database.db.raw('NOW(3) - INTERVAL 1 SECOND') })
    assert.equal((await ask()).outcome, 'answered')
    await ask()
    assert.equal((await ask()).outcome, 'too-many')
    const store = createCodeGuessStore(database.db, limits)
    await store.trim()
    assert.equal((await guesses.clone()).length, 1)
    await guesses.clone().update({ until: database.db.raw('NOW(3) - INTERVAL 1 SECOND') })
    await store.trim()
    assert.equal((await guesses.clone()).length, 0)
  })
})
