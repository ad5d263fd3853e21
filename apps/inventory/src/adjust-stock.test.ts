import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Sidecar } from '@caravan/service-kit/sidecar'
import { createAdjustStock } from './adjust-stock.ts'
import type { StockStore } from './stock-store.ts'

const piles = { received: 1, available: 1, reserved: 0, sold: 0 }
const adjustment = { id: 'a', delta: 1, reason: 'r', adjustedBy: 'b' }

/** What is asked and written when stock of a SKU comes. */
const receive = async (sku: string, { stocked = [] as string[], sold = [] as string[] }) => {
  const done: string[] = []
  const stock = {
    find: async (each: string) => (stocked.includes(each) ? { sku: each, ...piles } : undefined),
    adjust: async ({ sku: each }: { sku: string }) => {
      done.push('written')
      return { sku: each, ...piles }
    },
  } as unknown as StockStore
  const call = async () => {
    done.push('catalog is asked')
    return { data: sold }
  }
  const adjust = createAdjustStock(stock, { call } as unknown as Pick<Sidecar, 'call'>)
  await adjust({ ...adjustment, sku }).catch(({ status, code }) => done.push(`${status} ${code}`))
  return done
}

test('the first stock of a SKU comes when a product has it', async () => {
  assert.deepEqual(await receive('A-1', { sold: ['A-1'] }), ['catalog is asked', 'written'])
})

test('stock of a SKU that no product has is refused', async () => {
  assert.deepEqual(await receive('A-1', {}), ['catalog is asked', '404 inventory/sku-not-found'])
})

test('what was received once is adjusted without asking, whatever became of its product', async () => {
  assert.deepEqual(await receive('A-1', { stocked: ['A-1'] }), ['written'])
})
