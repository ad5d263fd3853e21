import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  deleteCode,
  getCode,
  getCodeBatch,
  inquireCodes,
  listCodeBatches,
  listCodes,
  makeCodes,
  putCode,
} from '@caravan/contracts/codes'
import { orderAbandoned, orderCancelled, orderPaid } from '@caravan/contracts/orders'
import {
  getPromotion,
  listPromotionChanges,
  listPromotions,
  putPromotion,
} from '@caravan/contracts/promotions'
import { redeem } from '@caravan/contracts/redemptions'
import { newId } from '@caravan/service-kit/ids'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { cloudEvent, publishAs } from '../support/publish.ts'
import { shop } from '../support/stack.ts'
import { get, refused } from './ask.ts'
import { holdToContract } from './hold-to-contract.ts'
import { promotionContent } from './samples.ts'

holdToContract('promotions')

const asOrders = { through: 'orders' } as const
const asOperator = async () => ({ token: await shop.asOperator() })

const put = async (promotionId: string, changes: object = {}) =>
  get(
    putPromotion,
    { params: { promotionId }, body: { ...promotionContent, ...changes } },
    await asOperator(),
  )
const promotion = async (limits: object = {}, changes: object = {}) =>
  (await put(newId(), { trigger: 'automatic', limits, ...changes })).id as string
const newCode = () => `C-${newId().slice(-12)}`
const coded = async (body: object = {}) => {
  const [promotionId, code] = [await promotion({}, { trigger: 'code' }), newCode().toUpperCase()]
  const params = { promotionId, code }
  await get(putCode, { params, body: { status: 'active', ...body } }, await asOperator())
  return { promotionId, code, params }
}
const usage = async (promotionId: string) => {
  for (let after: string | undefined; ; ) {
    const query = { limit: '100', ...(after ? { after } : {}) }
    const page = await get(listPromotions, { query }, await asOperator())
    const found = page.data.find(({ id }: { id: string }) => id === promotionId)
    if (found) return [found.used, found.spent]
    after = page.next
    assert.ok(after, 'the promotion is listed')
  }
}
const used = (promotionId: string, amount = 100, more: object = {}) => ({
  ...{ promotionId, version: 1, amount },
  ...more,
})
/** Repeated until it is answered, as a client would: on a busy machine a sidecar gives up first. */
const redeemed = (orderId: string, uses: object[], customer = newId()) =>
  eventually('an answer', () => get(redeem, { body: { orderId, customer, ttlSeconds: 300, uses } }, asOrders))
const inquire = (codes: string[], customer = newId()) =>
  get(inquireCodes, { body: { customer, codes } }, asOrders)
/** An event of orders as a later version of it might be: with a field that nobody knows yet. */
const publish = ({ topic, example }: { topic: string; example: object }, data: object, id = newId()) =>
  publishAs('orders', topic, cloudEvent('orders', topic, id, { ...example, ...data, addedLater: true }))

test('a promotion’s version grows by one with each change, and its window is told in UTC', async () => {
  const id = newId()
  const window = { timeZone: 'Europe/Berlin', from: '2026-12-24T18:00', until: '2027-07-01T00:00' }
  const first = await put(id, { window })
  assert.partialDeepStrictEqual(first, {
    ...{ id, version: 1, window },
    ...{ from: '2026-12-24T17:00:00.000Z', until: '2027-06-30T22:00:00.000Z' },
  })
  assert.deepEqual(await put(id, { window }), first)
  const { from, until, ...second } = await put(id, { status: 'paused' })
  assert.deepEqual([second.version, from, until], [2, undefined, undefined])
  const params = { promotionId: id }
  assert.deepEqual(await get(getPromotion, { params }, await asOperator()), second)
  const empty = { ...window, from: window.until }
  const body = { ...promotionContent, window: empty }
  await refused([422, 'promotions/empty-window'], putPromotion, { params, body }, await asOperator())
  const dollars = { ...promotionContent, currency: 'USD' }
  await refused([409, 'promotions/fixed'], putPromotion, { params, body: dollars }, await asOperator())
})

test('what changed is told page by page, each promotion as it is now', async () => {
  const since = { since: (await get(listPromotionChanges, {}, asOrders)).until }
  const made = [await put(newId()), await put(newId(), { status: 'paused' })]
  made[0] = await put(made[0].id, { priority: 5 })
  const seen = new Map<string, object>()
  for (let after: string | undefined; ; ) {
    const query = { ...since, limit: '1', ...(after ? { after } : {}) }
    const page = await get(listPromotionChanges, { query }, asOrders)
    for (const each of page.data) seen.set(each.id, each)
    after = page.next
    if (!page.hasMore) break
  }
  for (const each of made) assert.deepEqual(seen.get(each.id), each)
})

test('a code has one spelling, is its promotion’s for ever, and goes with what it was withdrawn with', async () => {
  const { params, promotionId, code } = await coded({ uses: 5 })
  const by = await asOperator()
  const lower = { params: { promotionId, code: code.toLowerCase() } }
  const read = await get(getCode, lower, by)
  assert.partialDeepStrictEqual(read, { code, promotionId, status: 'active', uses: 5 })
  const { data } = await get(listCodes, { params: { promotionId } }, by)
  assert.deepEqual(data, [{ ...read, used: 0 }])
  const body = { status: 'active' }
  const elsewhere = { ...params, promotionId: await promotion({}, { trigger: 'code' }) }
  await refused([409, 'promotions/code-taken'], putCode, { params: elsewhere, body }, by)
  const automatic = { ...params, promotionId: await promotion(), code: newCode() }
  await refused([409, 'promotions/not-by-code'], putCode, { params: automatic, body }, by)
  const unknown = { ...params, promotionId: newId(), code: newCode() }
  await refused([404, 'promotions/not-found'], putCode, { params: unknown, body }, by)
  await get(deleteCode, lower, by)
  await refused([404, 'promotions/code-not-found'], getCode, lower, by)
  await refused([409, 'promotions/code-taken'], putCode, { params: elsewhere, body }, by)
})

test('a batch of codes is made, as many as were ordered, and each of them is good once', async () => {
  const promotionId = await promotion({}, { trigger: 'code' })
  const params = { promotionId }
  const by = await asOperator()
  const batch = await get(makeCodes, { params, body: { count: 120, prefix: 'TEA-', length: 8 } }, by)
  assert.partialDeepStrictEqual(batch, { promotionId, count: 120, uses: 1, length: 8, prefix: 'TEA-' })
  const ofBatch = { params: { promotionId, batchId: batch.id } }
  await eventually('all are made', async () => (await get(getCodeBatch, ofBatch, by)).made === 120)
  const { data } = await get(listCodeBatches, { params }, by)
  assert.deepEqual(data, [{ ...batch, made: 120 }])
  const codes: string[] = []
  for (let after: string | undefined; ; ) {
    const query = { limit: '100', batchId: batch.id, ...(after ? { after } : {}) }
    const page = await get(listCodes, { params, query }, by)
    codes.push(...page.data.map(({ code }: { code: string }) => code))
    after = page.next
    if (!after) break
  }
  assert.equal(new Set(codes).size, 120)
  for (const code of codes) assert.match(code, /^TEA-[A-Z0-9]{8}$/)
  const [code] = codes
  assert.deepEqual(await redeemed(newId(), [used(promotionId, 100, { code })]), { outcome: 'redeemed' })
  assert.deepEqual(await redeemed(newId(), [used(promotionId, 100, { code })]), {
    ...{ outcome: 'refused', promotionId, reason: 'code' },
  })
})

test('an inquiry finds a code in any spelling, and tells of no other what it is; who guesses has to wait', async () => {
  const [good, paused] = [await coded(), await coded({ status: 'paused' })]
  const wrong = newCode().toUpperCase()
  assert.deepEqual(await inquire([good.code.toLowerCase(), paused.code, wrong]), {
    outcome: 'answered',
    data: [
      { code: good.code, outcome: 'found', promotionId: good.promotionId },
      { code: paused.code, outcome: 'not-found' },
      { code: wrong, outcome: 'not-found' },
    ],
  })
  const guesser = newId()
  await eventually('it has to wait', async () => {
    const { outcome } = await inquire([newCode(), newCode(), newCode(), newCode(), newCode()], guesser)
    return outcome === 'too-many'
  })
  const { outcome, retryAfterSeconds } = await inquire([newCode(), good.code, newCode()], guesser)
  assert.equal(outcome, 'too-many')
  assert.ok(retryAfterSeconds >= 1)
})

test('twenty redemptions at once for five uses: five are made, and one that comes again counts once', async () => {
  const promotionId = await promotion({ uses: 5 })
  const answers = await Promise.all(Array.from({ length: 20 }, () => redeemed(newId(), [used(promotionId)])))
  assert.equal(answers.filter(({ outcome }) => outcome === 'redeemed').length, 5)
  assert.deepEqual(await usage(promotionId), [5, 500])
  const again = await promotion()
  const orderId = newId()
  for (const id of [orderId, orderId.toUpperCase()])
    assert.deepEqual(await redeemed(id, [used(again)]), { outcome: 'redeemed' })
  assert.deepEqual(await usage(again), [1, 100])
})

test('a redemption is all or nothing, and says what it was refused for', async () => {
  const [plenty, scarce, few, changed] = [
    await promotion(),
    await promotion({ budget: 150 }),
    await promotion({ usesPerCustomer: 1 }),
    await promotion(),
  ] as [string, string, string, string]
  await put(changed, { trigger: 'automatic', priority: 1 })
  const customer = newId()
  await redeemed(newId(), [used(few)], customer)
  for (const [promotionId, reason, use] of [
    [scarce, 'budget', used(scarce, 151)],
    [few, 'customer-limit', used(few)],
    [changed, 'changed', used(changed)],
  ] as const)
    assert.deepEqual(await redeemed(newId(), [used(plenty), use], customer), {
      ...{ outcome: 'refused', promotionId, reason },
    })
  assert.deepEqual(await usage(plenty), [0, 0])
})

test('what ended gives back its uses, paid or not, and is closed; what is paid keeps them', async () => {
  const promotionId = await promotion()
  const [abandoned, cancelled, paid, early] = [newId(), newId(), newId(), newId()]
  for (const orderId of [abandoned, cancelled, paid]) await redeemed(orderId, [used(promotionId)])
  await publish(orderPaid, { orderId: cancelled })
  await publish(orderPaid, { orderId: paid })
  await publish(orderAbandoned, { orderId: abandoned })
  await publish(orderCancelled, { orderId: cancelled })
  await publish(orderAbandoned, { orderId: early })
  await eventually('two are given back', async () => (await usage(promotionId))[0] === 1)
  await eventually('the early end is known', async () => {
    const { outcome } = await redeemed(early, [used(promotionId)])
    return outcome === 'closed'
  })
  for (const orderId of [abandoned, cancelled])
    assert.deepEqual(await redeemed(orderId, [used(promotionId)]), { outcome: 'closed' })
  assert.deepEqual(await redeemed(paid, [used(promotionId)]), { outcome: 'redeemed' })
  assert.deepEqual(await usage(promotionId), [1, 100])
})
