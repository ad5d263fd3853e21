import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type PricingContent, pricing as pricingSchema } from '@caravan/contracts/pricing'
import { promotionChanged } from '@caravan/contracts/promotions'
import { transaction } from '@caravan/service-kit/database'
import { AppError } from '@caravan/service-kit/errors'
import { newId } from '@caravan/service-kit/ids'
import { createTestDatabase, type TestDatabase } from '@caravan/service-kit/testing/test-database'
import { createOfferStore } from './offer-store.ts'
import { createPricingStore, type PricingStore } from './pricing-store.ts'
import { createPromotionStore, type PromotionStore } from './promotion-store.ts'
import { createReadTerms } from './terms-store.ts'

let database: TestDatabase
let pricing: PricingStore
let promotions: PromotionStore

before(async () => {
  database = await createTestDatabase(new URL('../migrations/', import.meta.url))
  pricing = createPricingStore(database.db)
  promotions = createPromotionStore(database.db)
})
after(() => database.drop())

const anyhow = () => {}
const content = (name: string): PricingContent => ({
  markets: [{ currency: 'EUR', prices: 'gross', rounding: 'line', deliveryZones: [] }],
  taxZones: [
    { places: [{ country: 'DE' }], rates: [{ taxClass: 'standard', name: { en: name }, ratePpm: 190_000 }] },
  ],
})
const promotion = (id: string, version: number, more: object = {}) => ({
  ...promotionChanged.example,
  ...{ id, version },
  ...more,
})
const replace = (...states: ReturnType<typeof promotion>[]) =>
  transaction(database.db, async (tx) => {
    for (const state of states) await promotions.replace(tx, state)
  })
const markNow = async () => (await database.db('terms').first()).mark as string
const inForce = async () =>
  (await createReadTerms(database.db)()).promotions.map(({ id, version }) => [id, version])

test('a shop begins without markets and taxes', async () => {
  assert.deepEqual(await pricing.get(), { markets: [], taxZones: [], version: 0 })
  assert.deepEqual((await createReadTerms(database.db)()).promotions, [])
})

test('settings are replaced as a whole, with a version and a mark of their own; the same again change nothing', async () => {
  const before = await markNow()
  const first = await pricing.put(content('VAT'), anyhow)
  const mark = await markNow()
  assert.equal(first.version, (await pricing.get()).version)
  assert.deepEqual(pricingSchema.parse(await pricing.get()), first)
  assert.notEqual(mark, before)
  assert.deepEqual(await pricing.put(content('VAT'), anyhow), first)
  assert.equal(await markNow(), mark)
  assert.equal((await pricing.put(content('MwSt.'), anyhow)).version, first.version + 1)
  assert.notEqual(await markNow(), mark)
  assert.deepEqual((await createReadTerms(database.db)()).settings.taxZones[0]?.rates[0]?.name, {
    en: 'MwSt.',
  })
})

test('what does not hold the condition is not written, and of many writers under one condition one wins', async () => {
  const now = await pricing.get()
  const unchanged = (current: unknown) => {
    if ((current as { version: number }).version !== now.version) throw new AppError('conflict', 'a/b', '')
  }
  const results = await Promise.allSettled(
    Array.from({ length: 8 }, (_, n) => pricing.put(content(`${n}`), unchanged)),
  )
  assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
  assert.equal((await pricing.get()).version, now.version + 1)
})

test('a promotion’s newest version counts, in whatever order they come, and renews the mark once', async () => {
  const id = newId()
  await replace(promotion(id, 2))
  const mark = await markNow()
  await replace(promotion(id, 1), promotion(id, 2))
  assert.equal(await markNow(), mark)
  assert.deepEqual(await inForce(), [[id, 2]])
  await replace(promotion(id, 3, { status: 'paused' }))
  assert.notEqual(await markNow(), mark)
  assert.deepEqual(await inForce(), [])
})

test('what is over is not read any more, what is still to come is', async () => {
  const [over, future] = [newId(), newId()]
  await replace(
    promotion(over, 1, { until: new Date(Date.now() - 1000).toISOString() }),
    promotion(future, 1, { from: new Date(Date.now() + 1e8).toISOString() }),
  )
  assert.deepEqual(await inForce(), [[future, 1]])
})

test('catching up takes over what is newer, and remembers how far it read', async () => {
  const [known, older, missing] = [newId(), newId(), newId()]
  await replace(promotion(known, 5), promotion(older, 5))
  assert.equal(await promotions.catchUp([promotion(known, 4), promotion(older, 6), promotion(missing, 1)]), 2)
  const versions = new Map((await inForce()) as [string, number][])
  assert.deepEqual(
    [known, older, missing].map((id) => versions.get(id)),
    [5, 6, 1],
  )
  assert.equal(await promotions.feed.read(), null)
  const until = new Date('2026-11-01T08:00:00.123Z')
  await promotions.feed.write(until)
  assert.deepEqual(await promotions.feed.read(), until)
})

test('prices are read together with the mark of the terms', async () => {
  const offers = createOfferStore(database.db)
  await database.db('offers').insert({
    ...{
      sku: 'A-1',
      product_id: newId(),
      title: '{"en":"A"}',
      unit_price: 1,
      currency: 'EUR',
      seller: newId(),
    },
  })
  assert.equal((await offers.find(['A-1'])).mark, await markNow())
})
