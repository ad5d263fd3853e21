import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Product, productChanged } from '@caravan/contracts/catalog'
import { transaction } from '@caravan/service-kit/database'
import { newId } from '@caravan/service-kit/ids'
import { createTestDatabase, type TestDatabase } from '@caravan/service-kit/testing/test-database'
import fc from 'fast-check'
import { createOfferStore, type OfferStore } from './offer-store.ts'

let database: TestDatabase
let offers: OfferStore

before(async () => {
  database = await createTestDatabase(new URL('../migrations/', import.meta.url))
  offers = createOfferStore(database.db)
})
after(() => database.drop())

let skus = 0
const newSku = () => {
  skus += 1
  return `SKU-${skus}`
}
const [variant] = productChanged.example.variants
/** A product as it is `version` seconds after the beginning: its SKUs, each at its price. */
const product = (id: string, version: number, prices: Record<string, number>, status = 'on-shelf') =>
  ({
    ...productChanged.example,
    ...{ id, version, status, updatedAt: new Date(1_800_000_000_000 + version * 1000).toISOString() },
    variants: Object.entries(prices).map(([sku, amount]) => ({
      ...{ ...variant, sku, price: { amount, currency: 'USD' } },
    })),
  }) as Product
const replace = (...states: Product[]) =>
  transaction(database.db, async (tx) => {
    for (const state of states) await offers.replace(tx, state)
  })
const offered = async (sku: string) => {
  const offer = (await offers.find([sku])).offers.get(sku)
  return offer && [offer.productId, offer.unitPrice]
}
const permutations = <T>(items: readonly T[]): T[][] =>
  items.length < 2
    ? [[...items]]
    : items.flatMap((item, at) => permutations(items.toSpliced(at, 1)).map((rest) => [item, ...rest]))

test('a product’s newest version is what is offered, in whatever order they come', async () => {
  for (const order of permutations([1, 2, 3])) {
    const [id, sku] = [newId(), newSku()]
    await replace(...order.map((version) => product(id, version, { [sku]: version * 100 })))
    assert.deepEqual(await offered(sku), [id, 300], `${order}`)
  }
})

test('what is off the shelf is not offered', async () => {
  const [id, sku] = [newId(), newSku()]
  await replace(product(id, 1, { [sku]: 100 }), product(id, 2, { [sku]: 100 }, 'off-shelf'))
  assert.equal(await offered(sku), undefined)
})

test('a SKU that moves to another product, and back, is offered by its last one, in whatever order that is told', async () => {
  for (const order of permutations([0, 1, 2, 3, 4, 5])) {
    const [a, b, sku, other] = [newId(), newId(), newSku(), newSku()]
    const states = [
      product(a, 1, { [sku]: 100, [other]: 100 }),
      product(a, 2, { [other]: 100 }),
      product(b, 3, { [sku]: 300 }),
      product(b, 4, { [newSku()]: 400 }),
      product(a, 5, { [sku]: 500, [other]: 100 }),
      product(a, 6, { [sku]: 600, [other]: 100 }),
    ]
    await replace(...order.map((n) => states[n] as Product))
    assert.deepEqual(await offered(sku), [a, 600], `${order}`)
    assert.deepEqual(await offered(other), [a, 100])
  }
})

test('while one of two products’ events is still to come, a SKU is at the newer one’s price', async () => {
  const [a, b] = [newId(), newId()].toSorted()
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as [string, string][]) {
    const sku = newSku()
    await replace(product(to, 9, { [sku]: 900 }), product(from, 8, { [sku]: 800 }))
    assert.deepEqual(await offered(sku), [to, 900])
  }
})

/** What catalog would tell: products take free SKUs and let go of their own, each state a version; the clocks of its replicas differ. */
const histories = fc
  .array(
    fc.record({
      product: fc.nat(2),
      sku: fc.nat(1),
      takes: fc.boolean(),
      skewMs: fc.integer({ min: -5000, max: 5000 }),
    }),
    {
      minLength: 3,
      maxLength: 9,
    },
  )
  .map((moves) => {
    const ids = [newId(), newId(), newId()]
    const skus = [newSku(), newSku()]
    const held = new Map<string, string>()
    const versions = new Map<string, number>()
    const states = moves.flatMap(({ product: at, sku: which, takes, skewMs }, time) => {
      const [id, sku] = [ids[at] as string, skus[which] as string]
      if (takes ? held.has(sku) : held.get(sku) !== id) return []
      if (takes) held.set(sku, id)
      else held.delete(sku)
      const version = (versions.get(id) ?? 0) + 1
      versions.set(id, version)
      // A product is never without a variant.
      const own = [`OWN-${at}`, ...skus.filter((each) => held.get(each) === id)]
      const state = product(id, version, Object.fromEntries(own.map((each) => [each, version * 100])))
      return [{ ...state, updatedAt: new Date(1_800_000_000_000 + time * 1000 + skewMs).toISOString() }]
    })
    return { states, skus, held, versions }
  })

test('SKUs that are handed over are offered by who has them in the end, however their events come', async () => {
  await fc.assert(
    fc.asyncProperty(
      histories,
      fc.infiniteStream(fc.nat(1000)),
      fc.boolean(),
      async (history, chance, atOnce) => {
        const { states, skus, held, versions } = history
        const told = [...states, ...states.slice(0, 2)]
          .map((state) => ({ state, at: chance.next().value as number }))
          .sort((a, b) => a.at - b.at)
          .map(({ state }) => state)
        if (atOnce) await Promise.all(told.map((state) => replace(state)))
        else for (const state of told) await replace(state)
        for (const sku of skus) {
          const id = held.get(sku)
          assert.deepEqual(await offered(sku), id && [id, (versions.get(id) as number) * 100])
        }
      },
    ),
    { numRuns: 60 },
  )
})

test('an offer that was lost is found again, though its product’s version is known', async () => {
  const [id, sku] = [newId(), newSku()]
  const state = product(id, 3, { [sku]: 300 })
  await replace(state)
  await database.db('offers').where({ sku }).delete()
  assert.equal(await offers.catchUp([state]), 1)
  assert.deepEqual(await offered(sku), [id, 300])
  assert.equal(await offers.catchUp([state, product(id, 2, { [sku]: 200 })]), 0)
})

test('catching up takes over what is newer than what is here, and nothing else', async () => {
  const ids = [newId(), newId(), newId()]
  const [known, older, missing] = ids as [string, string, string]
  const [first, second, third] = [newSku(), newSku(), newSku()]
  await replace(product(known, 5, { [first]: 500 }), product(older, 5, { [second]: 500 }))
  const found = await offers.catchUp([
    product(known, 4, { [first]: 400 }),
    product(older, 6, { [second]: 600 }),
    product(missing, 1, { [third]: 100 }),
  ])
  assert.equal(found, 2)
  assert.deepEqual(
    [await offered(first), await offered(second), await offered(third)],
    [
      [known, 500],
      [older, 600],
      [missing, 100],
    ],
  )
  assert.equal(await offers.catchUp([product(missing, 1, { [third]: 100 })]), 0)
  assert.equal(await offers.catchUp([]), 0)
})

test('an offer from before sellers were kept is completed, and catalog is read from its beginning until then', async () => {
  const [id, sku] = [newId(), newSku()]
  const state = { ...product(id, 3, { [sku]: 300 }), taxClass: 'reduced' }
  await replace(state)
  const complete = (await offers.find([sku])).offers.get(sku)
  assert.partialDeepStrictEqual(complete, {
    ...{ seller: state.seller, category: state.category, taxClass: 'reduced' },
    weightGrams: variant?.weightGrams,
  })
  await offers.feed.write(new Date())
  await database.db('offers').where({ sku }).update({ seller: null, category: null, tax_class: 'standard' })
  assert.equal(await offers.feed.read(), null)
  assert.equal(await offers.catchUp([state]), 1)
  assert.deepEqual((await offers.find([sku])).offers.get(sku), complete)
  assert.ok(await offers.feed.read())
  assert.equal(await offers.catchUp([state]), 0)
})

test('up to when catalog was read is remembered', async () => {
  const until = new Date('2026-11-01T08:00:00.123Z')
  await offers.feed.write(until)
  assert.deepEqual(await offers.feed.read(), until)
})
