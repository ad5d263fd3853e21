import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { RedemptionUse } from '@caravan/contracts/redemptions'
import { transaction } from '@caravan/service-kit/database'
import { asAppError } from '@caravan/service-kit/errors'
import { newId } from '@caravan/service-kit/ids'
import { createLog } from '@caravan/service-kit/log'
import { createOutbox } from '@caravan/service-kit/outbox'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { fill, plansOf } from '@caravan/service-kit/testing/plans-of'
import { createTestDatabase, type TestDatabase } from '@caravan/service-kit/testing/test-database'
import fc from 'fast-check'
import { type CodeStore, createCodeStore } from './code-store.ts'
import { createPromotionStore, type PromotionContent, type PromotionStore } from './promotion-store.ts'
import { createRedemptionStore, type RedemptionStore } from './redemption-store.ts'

let database: TestDatabase
let promotions: PromotionStore
let codes: CodeStore
let redemptions: RedemptionStore

before(async () => {
  database = await createTestDatabase(new URL('../migrations/', import.meta.url))
  const { db } = database
  const log = createLog('promotions', 'silent')
  const sidecar = { publish: async () => new Set<string>() }
  promotions = createPromotionStore(db, createOutbox({ name: 'promotions', db, sidecar, log }))
  codes = createCodeStore(db)
  redemptions = createRedemptionStore(db)
})
after(() => database.drop())

const content: PromotionContent = {
  name: { en: 'A tenth off' },
  trigger: 'automatic',
  status: 'active',
  window: { timeZone: 'Europe/Berlin' },
  currency: 'EUR',
  conditions: {},
  effect: { kind: 'percent', basisPoints: 1000, of: 'order' },
  priority: 0,
  combination: 'stacked',
  limits: {},
}
const unconditional = () => {}
const put = (id: string, changed: Partial<PromotionContent> = {}) =>
  promotions.put(id, { ...content, ...changed }, {}, unconditional)
const promotion = async (limits: PromotionContent['limits'] = {}, changed: Partial<PromotionContent> = {}) =>
  (await put(newId(), { limits, ...changed })).id

let marks = 0
const coded = async (uses?: number, limits?: PromotionContent['limits'], customer?: string) => {
  marks += 1
  const [id, code] = [await promotion(limits, { trigger: 'code' }), `CODE-${marks}`]
  await codes.put(id, code, { status: 'active', uses, customer }, unconditional)
  return { id, code }
}

const use = (promotionId: string, amount = 100, more: Partial<RedemptionUse> = {}): RedemptionUse => ({
  ...{ promotionId, version: 1, amount },
  ...more,
})
const redeem = (orderId: string, uses: RedemptionUse[], customer = newId(), ttlSeconds = 60) =>
  redemptions.redeem({ orderId, customer, ttlSeconds, uses })
const confirm = (...orderIds: string[]) => transaction(database.db, (tx) => redemptions.confirm(tx, orderIds))
const release = (orderId: string) => transaction(database.db, (tx) => redemptions.release(tx, orderId))
const statusOf = async (orderId: string) =>
  (await database.db('redemptions').where({ order_id: orderId }).first())?.status

const redeemed = { outcome: 'redeemed' }
const refused = (promotionId: string, reason: string) => ({ outcome: 'refused', promotionId, reason })
const closed = { outcome: 'closed' }

const rows = async <R>(sql: string): Promise<R[]> => ((await database.db.raw(sql)) as unknown as [R[]])[0]
const live = `SELECT r.customer, u.promotion, u.code, u.amount FROM redemption_uses u
  JOIN redemptions r ON r.order_id = u.order_id AND r.status IN ('held', 'confirmed')`

/** Every counter is the sum of the redemptions that are live. */
const assertAddsUp = async () => {
  const wrong = await rows(
    `SELECT p.id, p.used, p.spent FROM promotions p LEFT JOIN (
       SELECT promotion, COUNT(*) AS n, SUM(amount) AS spent FROM (${live}) AS l GROUP BY promotion) AS s ON s.promotion = p.id
     WHERE p.used <> COALESCE(s.n, 0) OR p.spent <> COALESCE(s.spent, 0)
     UNION ALL SELECT c.code, c.used, 0 FROM codes c LEFT JOIN (
       SELECT code, COUNT(*) AS n FROM (${live}) AS l GROUP BY code) AS s ON s.code = c.code WHERE c.used <> COALESCE(s.n, 0)
     UNION ALL SELECT c.customer, c.used, 0 FROM customer_uses c LEFT JOIN (
       SELECT promotion, customer, COUNT(*) AS n FROM (${live}) AS l GROUP BY promotion, customer) AS s
       ON s.promotion = c.promotion AND s.customer = c.customer WHERE c.used <> COALESCE(s.n, 0)`,
  )
  assert.deepEqual(wrong, [])
}

const usage = async (id: string) => {
  const { used, spent } = await database.db('promotions').where({ id }).first()
  return [used, spent]
}
const count = (answers: { outcome: string }[], outcome = 'redeemed') =>
  answers.filter((answer) => answer.outcome === outcome).length
const atOnce = <T>(n: number, work: (n: number) => Promise<T>) =>
  Promise.all(Array.from({ length: n }, (_, index) => work(index)))

describe('at once', () => {
  test('a hundred redemptions of a code with one use: one order has it', async () => {
    const { id, code } = await coded(1)
    const answers = await atOnce(100, () => redeem(newId(), [use(id, 100, { code })]))
    assert.equal(count(answers), 1)
    for (const answer of answers.filter(({ outcome }) => outcome !== 'redeemed'))
      assert.deepEqual(answer, refused(id, 'code'))
    assert.deepEqual(await usage(id), [1, 100])
  })

  test('fifty, and a promotion for ten orders: ten have it', async () => {
    const id = await promotion({ uses: 10 })
    const answers = await atOnce(50, () => redeem(newId(), [use(id)]))
    assert.equal(count(answers), 10)
    assert.ok(answers.some((answer) => 'reason' in answer && answer.reason === 'limit'))
    assert.deepEqual(await usage(id), [10, 1000])
  })

  test('fifty of unlike sums: the budget is not passed by a cent, and nothing is refused that it has room for', async () => {
    const id = await promotion({ budget: 1000 })
    const answers = await atOnce(50, (n) => redeem(newId(), [use(id, 31 + n)]))
    const [used, spent] = await usage(id)
    assert.equal(used, count(answers))
    assert.ok(spent <= 1000 && spent > 1000 - 81, String(spent))
    assert.deepEqual(await redeem(newId(), [use(id, 1001 - spent)]), refused(id, 'budget'))
    assert.deepEqual(await redeem(newId(), [use(id, 1000 - spent)]), redeemed)
    assert.deepEqual(await usage(id), [used + 1, 1000])
  })

  test('ten of one customer, and twice a customer: two, and two more for another', async () => {
    const id = await promotion({ usesPerCustomer: 2 })
    const [mei, li] = [newId(), newId()]
    const answers = await atOnce(20, (n) => redeem(newId(), [use(id)], n % 2 ? mei : li))
    assert.equal(count(answers), 4)
    for (const customer of [mei, li])
      assert.deepEqual(await redeem(newId(), [use(id)], customer), refused(id, 'customer-limit'))
  })

  test('ten of one order: one counts, and all are answered alike', async () => {
    const { id, code } = await coded(1)
    const [order, customer] = [newId(), newId()]
    const answers = await atOnce(10, () => redeem(order, [use(id, 100, { code })], customer))
    assert.equal(count(answers), 10)
    assert.deepEqual(await usage(id), [1, 100])
  })

  test('orders of the same promotions, named in any order, wait for one another and none is lost', async () => {
    const ids = [await promotion(), await promotion(), await promotion()]
    const answers = await atOnce(30, (n) =>
      redeem(
        newId(),
        [0, 1, 2].map((at) => use(ids[(at + n) % 3] as string)),
      ),
    )
    assert.equal(count(answers), 30)
    for (const id of ids) assert.deepEqual(await usage(id), [30, 3000])
  })
})

describe('a redemption', () => {
  test('takes all or nothing', async () => {
    const [plenty, scarce] = [await promotion(), await promotion({ uses: 1 })]
    await redeem(newId(), [use(scarce)])
    const order = newId()
    assert.deepEqual(await redeem(order, [use(plenty), use(scarce)]), refused(scarce, 'limit'))
    assert.deepEqual([await usage(plenty), await statusOf(order)], [[0, 0], undefined])
    assert.deepEqual(await redeem(order, [use(plenty)]), redeemed)
  })

  test('of an order that comes again with other sums has those instead', async () => {
    const [one, other] = [await promotion({ budget: 500 }), await promotion()]
    const order = newId()
    await redeem(order, [use(one, 400), use(other)])
    assert.deepEqual(await redeem(order, [use(one, 450)]), redeemed)
    assert.deepEqual(
      [await usage(one), await usage(other)],
      [
        [1, 450],
        [0, 0],
      ],
    )
    assert.deepEqual(await redeem(order, [use(one, 501)]), refused(one, 'budget'))
    assert.deepEqual(await usage(one), [1, 450])
  })

  test('of a promotion that was changed meanwhile, is paused or is not there, is refused', async () => {
    const [id, paused] = [await promotion(), newId()]
    await put(id, { priority: 1 })
    assert.deepEqual(await redeem(newId(), [use(id)]), refused(id, 'changed'))
    assert.deepEqual(await redeem(newId(), [use(id, 100, { version: 3 })]), refused(id, 'changed'))
    assert.deepEqual(await redeem(newId(), [use(id, 100, { version: 2 })]), redeemed)
    await put(paused, { status: 'paused' })
    assert.deepEqual(await redeem(newId(), [use(paused)]), refused(paused, 'changed'))
    const unknown = newId()
    assert.deepEqual(await redeem(newId(), [use(unknown)]), refused(unknown, 'changed'))
  })

  test('is refused when its promotion changes between what it reads and what it counts', async () => {
    const [id, customer] = [await promotion(), newId()]
    await redeem(newId(), [use(id)], customer)
    const waits = "db = DATABASE() AND info LIKE 'INSERT INTO customer_uses%'"
    const answer = await transaction(database.open(), async (tx) => {
      await tx('customer_uses').where({ promotion: id, customer }).forUpdate()
      const redeeming = redeem(newId(), [use(id)], customer)
      await eventually('it waits for its customer', async () => {
        const [waiting] = await rows(`SELECT 1 FROM information_schema.processlist WHERE ${waits}`)
        return waiting !== undefined
      })
      await put(id, { priority: 1 })
      return { redeeming }
    })
    assert.deepEqual(await answer.redeeming, refused(id, 'changed'))
  })

  test('goes by a code of that promotion, which is active and the customer’s own', async () => {
    const [one, other] = [await coded(), await coded()]
    const [mei, li] = [newId(), newId()]
    const own = await coded(undefined, {}, mei)
    const by = (id: string, code?: string, customer?: string) =>
      redeem(newId(), [use(id, 100, code ? { code } : {})], customer)
    for (const [id, code, customer] of [
      [one.id, other.code],
      [one.id, 'UNKNOWN'],
      [one.id, undefined],
      [await promotion(), one.code],
      [own.id, own.code, li],
    ])
      assert.deepEqual(await by(id as string, code, customer), refused(id as string, 'code'))
    assert.deepEqual(await by(own.id, own.code, mei), redeemed)
    await codes.put(one.id, one.code, { status: 'paused' }, unconditional)
    await codes.withdraw(other.id, other.code, unconditional)
    for (const { id, code } of [one, other]) assert.deepEqual(await by(id, code), refused(id, 'code'))
  })

  test('with a promotion named twice is no request', async () => {
    const id = await promotion()
    await assert.rejects(redeem(newId(), [use(id), use(id)]), { code: 'promotions/invalid-request' })
  })
})

describe('an end', () => {
  test('that comes before its try, or after it, closes the order: nothing is taken, and nothing given back twice', async () => {
    const { id, code } = await coded(1)
    const [early, late] = [newId(), newId()]
    const uses = [use(id, 100, { code })]
    await redeem(early, uses)
    await release(late)
    for (let n = 0; n < 2; n += 1) await release(early)
    assert.deepEqual(await usage(id), [0, 0])
    for (const order of [early, late]) assert.deepEqual(await redeem(order, uses), closed)
    assert.deepEqual(await redeem(newId(), uses), redeemed)
  })

  test('of a paid order keeps its uses, and a cancellation after it gives them back', async () => {
    const id = await promotion({ uses: 2 })
    const [paid, cancelled, open] = [newId(), newId(), newId()]
    await redeem(paid, [use(id)])
    await redeem(cancelled, [use(id)])
    for (let n = 0; n < 2; n += 1) await confirm(paid, cancelled, newId())
    assert.deepEqual(await redeem(open, [use(id)]), refused(id, 'limit'))
    await release(cancelled)
    assert.deepEqual(await usage(id), [1, 100])
    await confirm(cancelled)
    assert.deepEqual([await statusOf(paid), await statusOf(cancelled)], ['confirmed', 'released'])
    assert.deepEqual(await redeem(paid, [use(id, 999)]), redeemed, 'it is over: no other sums')
    assert.deepEqual(await usage(id), [1, 100])
  })
})

describe('what no event told', () => {
  const ago = (orderId: string, minutes: number) =>
    database
      .db('redemptions')
      .where({ order_id: orderId })
      .update({ ask_at: database.db.raw('NOW(3) - INTERVAL ? MINUTE', [minutes]) })
  const nothing = { gone: [], open: [], paid: [], done: [] }

  test('is asked for when the time to live is over, what waits longest first, until it is known for good', async () => {
    const id = await promotion()
    const [gone, open, paid, done, young] = [newId(), newId(), newId(), newId(), newId()]
    for (const order of [gone, open, paid, done, young]) await redeem(order, [use(id)])
    for (const [minutes, order] of [done, paid, open, gone].entries()) await ago(order, minutes + 1)
    assert.deepEqual(await redemptions.unsettled(2), [gone, open])
    assert.deepEqual(await redemptions.unsettled(100), [gone, open, paid, done])
    await redemptions.settle({ gone: [gone], open: [open], paid: [paid], done: [done] })
    assert.deepEqual(await redemptions.unsettled(100), [])
    const statuses = await Promise.all([gone, open, paid, done].map(statusOf))
    assert.deepEqual(statuses, ['released', 'held', 'confirmed', 'confirmed'])
    const asked: { order_id: string }[] = await database.db('redemptions').whereNotNull('ask_at')
    assert.deepEqual(
      [gone, open, paid, done].map((order) => asked.some(({ order_id }) => order_id === order)),
      [false, true, true, false],
    )
    await ago(paid, 1)
    await redemptions.settle({ ...nothing, gone: [paid] })
    assert.deepEqual([await statusOf(paid), await usage(id)], ['released', [3, 300]])
  })

  test('may have been told meanwhile: what is released stays so', async () => {
    const id = await promotion()
    const order = newId()
    await redeem(order, [use(id)])
    await release(order)
    await redemptions.settle({ ...nothing, open: [order], paid: [order], done: [order] })
    assert.deepEqual([await statusOf(order), await redemptions.unsettled(100)], ['released', []])
  })
})

type Move = { what: 'redeem' | 'confirm' | 'release'; order: number }

test('whatever happens at once, the counters are what the redemptions say, and no limit is passed', async () => {
  const story = fc.tuple(
    fc.array(
      fc.record({ customer: fc.nat(1), some: fc.uniqueArray(fc.nat(2), { minLength: 1, maxLength: 3 }) }),
      {
        minLength: 8,
        maxLength: 8,
      },
    ),
    fc.array(
      fc.record<Move>({
        what: fc.constantFrom('redeem', 'redeem', 'confirm', 'release'),
        order: fc.nat(7),
      }),
      { minLength: 20, maxLength: 60 },
    ),
  )
  await fc.assert(
    fc.asyncProperty(story, async ([orders, moves]) => {
      const limited = { uses: 3, usesPerCustomer: 2, budget: 250 }
      const { id, code } = await coded(2, limited)
      const known = [use(id, 90, { code }), use(await promotion(limited)), use(await promotion({ uses: 2 }))]
      const [ids, customers] = [orders.map(() => newId()), [newId(), newId()]]
      await Promise.all(
        moves.map(async ({ what, order }) => {
          const orderId = ids[order] as string
          const { customer, some } = orders[order] as (typeof orders)[number]
          const work =
            what === 'redeem'
              ? redeem(
                  orderId,
                  some.map((at) => known[at] as RedemptionUse),
                  customers[customer],
                )
              : what === 'confirm'
                ? confirm(orderId)
                : release(orderId)
          await work.catch((error) => {
            // The victim of its fifth deadlock is without effect.
            if (!asAppError(error)) throw error
          })
        }),
      )
      await assertAddsUp()
      const passed = await rows(
        `SELECT id FROM promotions WHERE used > COALESCE(uses_limit, used) OR spent > COALESCE(budget, spent)
         UNION ALL SELECT code FROM codes WHERE used > COALESCE(uses_limit, used)
         UNION ALL SELECT c.customer FROM customer_uses c JOIN promotions p ON p.id = c.promotion
           WHERE c.used > COALESCE(p.customer_limit, c.used)`,
      )
      assert.deepEqual(passed, [])
    }),
    { numRuns: 20, endOnFailure: true },
  )
})

test('redemptions that were released long ago are deleted, a batch at a time; what is live stays, and counts', async () => {
  const id = await promotion()
  const [old, older, tombstone, recent, paid] = [newId(), newId(), newId(), newId(), newId()]
  for (const order of [old, older, recent, paid]) await redeem(order, [use(id)])
  for (const order of [old, older, tombstone, recent]) await release(order)
  await confirm(paid)
  await database
    .db('redemptions')
    .whereIn('order_id', [old, older, tombstone])
    .update({ released_at: database.db.raw('NOW(3) - INTERVAL 90 DAY - INTERVAL 1 SECOND') })
  await database
    .db('redemptions')
    .where({ order_id: paid })
    .update({ created_at: database.db.raw('NOW(3) - INTERVAL 900 DAY') })
  assert.equal(await redemptions.trimReleased(91, 100), 0)
  assert.deepEqual([await redemptions.trimReleased(90, 2), await redemptions.trimReleased(90, 2)], [2, 1])
  assert.equal(await redemptions.trimReleased(90, 2), 0)
  const left = await database.db('redemption_uses').where({ promotion: id }).pluck('order_id')
  assert.deepEqual(left.sort(), [recent, paid].sort())
  await assertAddsUp()
})

describe('with many rows', () => {
  before(async () => {
    const many = Array.from({ length: 6000 }, (_, n) => n)
    await fill(
      database.db,
      'redemptions',
      many.map((n) => ({
        ...{ order_id: newId(), customer: newId() },
        ...(n % 3 === 0
          ? { status: 'released', released_at: new Date(Date.now() - n * 1000) }
          : { status: 'confirmed', ask_at: n % 3 === 1 ? new Date(Date.now() + 60_000 + n) : null }),
      })),
    )
    await fill(
      database.db,
      'codes',
      many.map((n) => ({ code: `MANY-${n}`, promotion: `of-${n % 3}`, status: 'active' })),
    )
  })

  test('what is unsettled is read in the order of an index', async () => {
    const [step] = await plansOf(database.db, () => redemptions.unsettled(100))
    assert.partialDeepStrictEqual(step, { table: 'redemptions', key: 'unsettled', type: 'range' })
    assert.doesNotMatch(String(step?.Extra), /filesort/)
  })

  test('what was released long ago is found by an index', async () => {
    const [step] = await plansOf(database.db, () => redemptions.trimReleased(90, 100))
    assert.partialDeepStrictEqual(step, { table: 'redemptions', key: 'ended', type: 'range' })
    assert.doesNotMatch(String(step?.Extra), /filesort/)
  })

  test('codes are looked up by themselves, and listed by their promotion', async () => {
    const found = await plansOf(database.db, () => codes.find(newId(), ['MANY-1', 'MANY-2', 'NONE']))
    assert.deepEqual(
      found.map(({ type, key }) => [type, key]),
      [
        ['range', 'PRIMARY'],
        ['eq_ref', 'PRIMARY'],
      ],
    )
    for (const after of [undefined, 'MANY-5', 'MANY-99']) {
      const [listed] = await plansOf(database.db, () => codes.list('of-1', { limit: 100, after }))
      assert.match(`${listed?.type} ${listed?.key}`, /^(ref of_promotion|range (of_promotion|PRIMARY))$/)
      assert.doesNotMatch(String(listed?.Extra), /filesort/)
    }
  })
})
