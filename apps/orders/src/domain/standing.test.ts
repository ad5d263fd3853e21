import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertMayPlace, type Standing } from './standing.ts'

const bounds = { unpaidOrders: 3, heldUnits: 100 }
const open: Standing = { isClosed: false, unpaidOrders: 0, heldUnits: 0, hasOrdered: false }
const place = (standing: Partial<Standing>, units = 1) =>
  assertMayPlace({ ...open, ...standing }, units, bounds)
const tooMany = { code: 'orders/too-many-unpaid', status: 409 }

test('an account may have so many unpaid orders', () => {
  place({ unpaidOrders: 2 })
  assert.throws(() => place({ unpaidOrders: 3 }), tooMany)
})

test('two or more may hold so many units; one may hold more', () => {
  place({ unpaidOrders: 1, heldUnits: 60 }, 40)
  assert.throws(() => place({ unpaidOrders: 1, heldUnits: 60 }, 41), tooMany)
  place({}, 100_000)
  assert.throws(() => place({ unpaidOrders: 1, heldUnits: 100_000 }), tooMany)
})

test('a closed account may have none', () => {
  assert.throws(() => place({ isClosed: true }), { code: 'auth/session-ended', status: 401 })
})
