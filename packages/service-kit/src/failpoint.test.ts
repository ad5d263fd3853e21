import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { failpoint } from './failpoint.ts'

const folderFor = (t: { after: (end: () => void) => void }) => {
  const folder = mkdtempSync(join(tmpdir(), 'failpoint-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

const run = (folder: string, body: string) => {
  const program = `
    import { writeFileSync } from 'node:fs'
    import { armFailpoints, failpoint } from '${import.meta.resolve('./failpoint.ts')}'
    const mark = (name) => writeFileSync('${folder}/' + name, '')
    ${body}`
  return spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: 'inherit' })
}

test('a process stops at its armed point, before its next instruction', async (t) => {
  const folder = folderFor(t)
  writeFileSync(join(folder, 'shop.after-commit'), '')
  writeFileSync(join(folder, 'other.before-commit'), '')
  const watcher = watch(folder)
  const child = run(
    folder,
    `armFailpoints('${folder}', 'shop')
     failpoint('before-commit')
     mark('came-here')
     failpoint('after-commit')
     mark('went-on')`,
  )
  while (!existsSync(join(folder, 'shop.after-commit.hit')))
    await once(watcher, 'change', { signal: AbortSignal.timeout(60_000) })
  watcher.close()
  const stopped = () => readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.[0] === 'T'
  const end = Date.now() + 60_000
  if (existsSync('/proc')) while (!stopped() && Date.now() < end) await pause(5)
  const files = readdirSync(folder).sort()
  child.kill('SIGKILL')
  assert.deepEqual(await once(child, 'exit'), [null, 'SIGKILL'])
  assert.deepEqual(files, [
    'came-here',
    'other.before-commit',
    'shop.after-commit.hit',
    'shop.after-commit.seen',
    'shop.before-commit.seen',
  ])
})

test('nothing happens at a point without a file, nor in a process that was not told a folder', async (t) => {
  const folder = folderFor(t)
  writeFileSync(join(folder, 'shop.after-commit'), '')
  failpoint('after-commit')
  const child = run(folder, `failpoint('after-commit'); mark('went-on')`)
  assert.deepEqual(await once(child, 'exit'), [0, null])
  assert.deepEqual(readdirSync(folder).sort(), ['shop.after-commit', 'went-on'])
})
