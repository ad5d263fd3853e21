import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import mysql, { type Connection } from 'mysql2/promise'
import { eraseStack } from '../../tools/launcher/erase-stack.ts'
import { type Stack, startStack } from '../../tools/launcher/stack.ts'
import { audit, CouldNotRead, type Finding } from '../audit/audit.ts'
import { damages } from '../audit/proof/damages.ts'
import { rememberPages } from '../audit/proof/remembered-pages.ts'
import { type Story, sell } from '../audit/proof/sample-story.ts'
import { openSpoil, type Spoil } from '../audit/proof/spoil.ts'
import { type ClientLog, openClientLog } from '../support/client-log.ts'

/** A shop of its own that sells a little, is found clean, and then has its books spoiled in one place after another. */
let stack: Stack
let admin: Connection
let log: ClientLog
let story: Story
let spoil: Spoil

before(async () => {
  await eraseStack('audit')
  stack = await startStack({ profile: 'audit', ports: 'free' })
  admin = await mysql.createConnection({ uri: stack.mysqlAdminUrl, connectTimeout: 60_000 })
  log = openClientLog(join(stack.dir, 'client.log'))
  story = await sell(stack, log)
  spoil = openSpoil(stack, admin, log)
})
after(async () => {
  await admin?.end()
  await stack?.stop()
})

/** At the gateway, or at what stands before it. */
const look = (url = stack.url, settleSeconds = 0, tell: (line: string) => void = () => {}) =>
  audit({ stack: { ...stack, urls: [url] }, clientLog: log.file, settleSeconds, log: tell })

/** What was found, by check. */
const wrong = (findings: readonly Finding[]) =>
  Object.fromEntries(
    findings.filter(({ found }) => found > 0).map(({ check, violations }) => [check, violations]),
  )

const command = async (...args: string[]): Promise<{ code: number; out: string }> => {
  const file = join(import.meta.dirname, '../audit/main.ts')
  const child = spawn(process.execPath, [file, '--profile', 'audit', '--settle', '0', ...args], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let out = ''
  child.stdout.on('data', (chunk) => {
    out += chunk
  })
  const [code] = await once(child, 'close')
  return { code, out }
}

test('a shop that sold a little is clean', async (t) => {
  const findings = await look(stack.url, 60, (line) => t.diagnostic(line))
  assert.deepEqual(wrong(findings), {})
  assert.deepEqual(
    [...new Set(findings.map(({ invariant }) => invariant))],
    ['I1', 'I10', 'I2', 'I3', 'I4', 'I5', 'I6', 'I7', 'I8', 'I9'],
  )
  const idle = findings.filter(({ checked }) => checked === 0).map(({ check }) => check)
  assert.deepEqual(idle, ['a second payment comes after a first, and goes back once'])
  const { code, out } = await command('--client-log', log.file)
  assert.equal(code, 0, out)
})

test('each check fails for what it is there for, and no other does', async (t) => {
  await spoil.freeze()
  const memory = await rememberPages(stack.url)
  t.after(memory.close)
  const unseen = new Set((await look(memory.url)).map(({ check }) => check))
  for (const [what, damage, seenBy] of damages(story, spoil))
    await t.test(what, async () => {
      const undo = await damage()
      try {
        const found = wrong(await look(memory.url))
        assert.deepEqual(Object.keys(found).sort(), seenBy.toSorted(), JSON.stringify(found, null, 2))
        for (const check of seenBy) unseen.delete(check)
      } finally {
        await undo()
      }
    })
  assert.deepEqual([...unseen], [], 'checks that were never seen to fail')
  assert.deepEqual(wrong(await look(memory.url)), {})
})

test('the command says by its exit code what it found, and what it could not read', async () => {
  const undo = await spoil.sql('UPDATE orders.offers SET unit_price = unit_price - 1')()
  try {
    const { code, out } = await command('--json')
    assert.equal(code, 1)
    assert.deepEqual(Object.keys(wrong(JSON.parse(out))), [
      'orders offers what is on the shelf, at its price',
    ])
  } finally {
    await undo()
  }
  assert.equal((await command('--client-log', join(stack.dir, 'none.log'))).code, 2)
  assert.equal((await command('--no-such-option')).code, 2)
  const locked = { ...stack, secrets: { ...stack.secrets, 'psp-authorization': 'Bearer wrong' } }
  await assert.rejects(audit({ stack: locked, settleSeconds: 0 }), CouldNotRead)
})
