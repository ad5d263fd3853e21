import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { attachStack } from '../../tools/launcher/attached-stack.ts'
import { provideDapr } from '../../tools/launcher/dapr-binaries.ts'
import { builtComponents } from '../../tools/launcher/dapr-build.ts'
import { isFree } from '../../tools/launcher/ports.ts'
import { startStack } from '../../tools/launcher/stack.ts'
import { readStack, repository, type StackRecord, stackFolder } from '../../tools/launcher/stack-file.ts'

// A launcher of its own, with MySQL, Redis, the card provider and Dapr's control plane, that these tests may kill.
const profile = 'launcher-drill'
const program = `
  import { startStack } from '${join(repository, 'tools/launcher/stack.ts')}'
  await startStack({ profile: '${profile}', ports: 'free', backingOnly: true })
  console.log('ready')`

let launcher: ChildProcess

const launch = async () => {
  launcher = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  assert.ok(launcher.stdout)
  await once(launcher.stdout, 'data')
}

const record = (): StackRecord => {
  const found = readStack(profile)
  assert.ok(found)
  return found
}

/** Zombies are dead: they only wait to be counted. */
const lives = (pid: number) => {
  try {
    return !execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).startsWith('Z')
  } catch {
    return false
  }
}

before(launch)
after(() => {
  launcher.kill('SIGKILL')
  rmSync(stackFolder(profile), { recursive: true, force: true })
})

test('a second launcher of the same profile is refused', async () => {
  await assert.rejects(startStack({ profile, ports: 'free', backingOnly: true }), /running already/)
})

test('a start with a Dapr that lacks what the shop’s YAML names ends before anything runs, and says what', async (t) => {
  const lacking = `${profile}-lacking`
  t.after(() => rmSync(stackFolder(lacking), { recursive: true, force: true }))
  const components = builtComponents(repository).filter((type) => type !== 'middleware.http.bearer')
  const dapr = { ...(await provideDapr(repository, () => {})), components }
  await assert.rejects(
    startStack({ profile: lacking, ports: 'free', dapr }),
    /has no middleware\.http\.bearer: add it to tools\/dapr\/components\.txt, or install Dapr/,
  )
  assert.equal(readStack(lacking), undefined)
})

test('another process can kill, stop and start what the launcher supervises', async () => {
  const redis = attachStack(profile).process('redis')
  const first = redis.pid
  await redis.kill('SIGKILL')
  await redis.ready()
  assert.notEqual(redis.pid, first)
  await redis.stop()
  assert.equal(redis.running(), false)
  await redis.start()
  await redis.ready()
})

test('SIGKILL of the launcher leaves no process and no port, and nothing in the way of the next one', async () => {
  const { processes } = record()
  const pids = Object.values(processes).flatMap(({ pid }) => pid ?? [])
  assert.equal(pids.length, 6)
  launcher.kill('SIGKILL')
  await once(launcher, 'exit')
  await eventually('all of them are gone', () => !pids.some(lives))
  for (const { ports } of Object.values(processes))
    for (const port of Object.values(ports)) assert.ok(await isFree(port), `port ${port} is held`)
  assert.equal(readStack(profile), undefined)
  await launch()
  const ended = once(launcher, 'exit')
  await attachStack(profile).stop()
  await ended
  assert.equal(readStack(profile), undefined)
})
