import assert from 'node:assert/strict'
import { test } from 'node:test'
import { coupons } from './coupons.ts'
import { runDrill } from './run-drill.ts'

// `npm run drill -- coupons` kills forty times.
test('a coupon for ten orders, with promotions and orders killed: ten have it in the end, and none is lost', async () => {
  const report = await runDrill(coupons, { seed: 1, rounds: 6 })
  // How fast it recovers is for a quiet machine to tell.
  const failures = report.failures.filter((what) => !what.startsWith('recovery'))
  assert.deepEqual(failures, [])
  assert.ok(Object.keys(report.kills).length >= 4, JSON.stringify(report.kills))
})
