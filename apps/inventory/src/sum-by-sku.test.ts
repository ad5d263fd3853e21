import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { sumBySku } from './sum-by-sku.ts'

const anyItems = fc.array(
  fc.record({
    sku: fc.constantFrom('KETTLE', 'LAMP', 'LAMP-2', 'TEAPOT', '2-CUPS'),
    quantity: fc.integer({ min: 1, max: 1000 }),
  }),
  { maxLength: 100 },
)

test('each SKU stands once, with the sum of its quantities', () => {
  fc.assert(
    fc.property(anyItems, (items) => {
      const sums = sumBySku(items)
      assert.deepEqual(new Set(sums.map(({ sku }) => sku)), new Set(items.map(({ sku }) => sku)))
      for (const { sku, quantity } of sums) {
        const own = items.filter((item) => item.sku === sku).map((item) => item.quantity)
        assert.equal(
          quantity,
          own.reduce((a, b) => a + b),
        )
      }
    }),
  )
})

test('the order is by SKU alone, so that two orders lock their rows in the same one', () => {
  fc.assert(
    fc.property(anyItems, (items) => {
      const skus = sumBySku(items).map(({ sku }) => sku)
      assert.deepEqual(skus, [...new Set(items.map(({ sku }) => sku))].sort())
    }),
  )
})

test('what was asked for is left as it was', () => {
  const items = Object.freeze([
    Object.freeze({ sku: 'LAMP', quantity: 1 }),
    Object.freeze({ sku: 'LAMP', quantity: 2 }),
  ])
  assert.deepEqual(sumBySku([...items]), [{ sku: 'LAMP', quantity: 3 }])
})
