import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kills } from './kills.ts'
import { runDrill } from './run-drill.ts'

// `npm run drill -- kills` does it a hundred times.
test('kill -9 of each service and each sidecar amid checkouts: nothing acknowledged is lost, nothing is done twice', async () => {
  const report = await runDrill(kills, { seed: 1, rounds: 1 })
  // How fast it recovers is for a quiet machine to tell.
  const failures = report.failures.filter((what) => !what.startsWith('recovery'))
  assert.deepEqual(failures, [])
  assert.equal(Object.keys(report.kills).length, 16)
  assert.ok(report.checkouts.ok >= 16, `only ${report.checkouts.ok} checkouts`)
})
