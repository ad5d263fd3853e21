import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openGuard } from './guard.ts'
import { portPool } from './ports.ts'
import { superviseProcess } from './supervised-process.ts'

const server = `
  process.on('SIGTERM', () => process.exit())
  require('node:http').createServer((_, response) => response.end()).listen(process.argv[1], '127.0.0.1')`

const supervise = async (
  t: { after: (end: () => Promise<void>) => void },
  { script = server, restart = true } = {},
) => {
  const dir = mkdtempSync(join(tmpdir(), 'caravan-'))
  const port = await portPool().take()
  const lines: string[] = []
  const guard = openGuard()
  const spec = {
    ...{ name: 'clerk', file: process.execPath, args: ['-e', script, String(port)], cwd: dir, env: {} },
    ...{ ports: { app: port }, probe: { url: `http://127.0.0.1:${port}/`, status: 200 } },
    logFile: join(dir, 'clerk.log'),
  }
  const log = (line: string) => void lines.push(line)
  const clerk = superviseProcess(spec, { guard, restart, log, changed: () => {} })
  t.after(async () => {
    await clerk.stop()
    guard.close()
    rmSync(dir, { recursive: true })
  })
  await clerk.start()
  return { clerk, lines }
}

test('a process that dies is started again', async (t) => {
  const { clerk, lines } = await supervise(t)
  await clerk.ready()
  const first = clerk.pid
  await clerk.kill('SIGKILL')
  assert.equal(clerk.running(), false)
  await clerk.ready()
  assert.notEqual(clerk.pid, first)
  assert.deepEqual(lines, ['clerk ended (SIGKILL), starting it again'])
})

test('a process that was stopped, even while frozen, stays down until it is started', async (t) => {
  const { clerk, lines } = await supervise(t)
  await clerk.ready()
  await clerk.kill('SIGSTOP')
  await clerk.stop()
  assert.equal(clerk.running(), false)
  assert.deepEqual(lines, [])
  await clerk.start()
  await clerk.ready()
})

test('without supervision a process that died stays down', async (t) => {
  const { clerk } = await supervise(t, { restart: false })
  await clerk.ready()
  await clerk.kill('SIGKILL')
  await assert.rejects(clerk.ready(500), /clerk is not ready after 0.5 s/)
})

test('waiting for a process that ends at each start fails with the end of its log', async (t) => {
  const { clerk } = await supervise(t, { script: 'console.error("no such colour"); process.exit(1)' })
  await assert.rejects(clerk.ready(), /clerk ends each time it is started[\s\S]*no such colour/)
})

test('a process that served and then waits for another that is away is waited for', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'caravan-'))
  const away = join(dir, 'away')
  t.after(async () => rmSync(dir, { recursive: true }))
  const { clerk, lines } = await supervise(t, {
    script: `if (require('node:fs').existsSync(${JSON.stringify(away)})) process.exit(1); ${server}`,
  })
  await clerk.ready()
  writeFileSync(away, '')
  await clerk.kill('SIGKILL')
  const again = clerk.ready()
  while (lines.length < 5) await sleep(20)
  rmSync(away)
  await again
})
