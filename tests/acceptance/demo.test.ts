import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'

test('npm run demo: search, cart, checkout, payment, confirmation; and all books agree', async () => {
  const { stdout } = await promisify(execFile)('node', ['tools/caravan.mjs', 'demo'])
  assert.match(stdout, /stock, order, payment, ledger agree\s+yes/)
  const history = [...stdout.matchAll(/Z {2}([\w-]+)$/gm)].map((match) => match[1])
  assert.deepEqual(history, ['placed', 'paid', 'confirmed'])
})
