import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { daprVersion } from './dapr-binaries.ts'
import { findProgram } from './programs.ts'
import { openReleasePlace } from './release-place.ts'
import { repository } from './stack-file.ts'

const version = daprVersion(repository)
const names = ['daprd', 'placement', 'scheduler', 'sentry']
const scripts = Object.fromEntries(names.map((name) => [name, `echo ${version}`]))

/** A machine that has no Dapr and no Go, and a place of releases. */
const openMachine = async (
  t: { after: (end: () => void) => void },
  serve: (bytes: Buffer, response: ServerResponse) => unknown,
  released = version,
) => {
  const home = mkdtempSync(join(tmpdir(), 'caravan-machine-'))
  const [bin, cache] = [join(home, 'bin'), join(home, 'cache')]
  mkdirSync(bin)
  for (const name of ['tar', 'gzip']) symlinkSync(String(findProgram(name)), join(bin, name))
  const releases = await openReleasePlace(released, scripts, serve)
  const launchers: ChildProcess[] = []
  t.after(() => {
    for (const launcher of launchers) launcher.kill('SIGKILL')
    releases.close()
    rmSync(home, { recursive: true, force: true })
  })
  const program = `
    import { provideDapr } from '${join(repository, 'tools/launcher/dapr-binaries.ts')}'
    const place = { from: '${releases.from}', patienceMs: 60_000 }
    console.log((await provideDapr('${repository}', (line) => console.error(line), place)).daprd)`

  /** Another process that wants Dapr: its first word, and with its end what it got and all that it said. */
  const launch = () => {
    const launcher = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      env: { PATH: bin, HOME: home, XDG_CACHE_HOME: cache },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    launchers.push(launcher)
    const spoken = once(launcher.stderr, 'data')
    const ended = Promise.all([text(launcher.stdout), text(launcher.stderr), once(launcher, 'close')])
    return { launcher, spoken, ended: ended.then(([got, said]) => ({ got: got.trim(), said })) }
  }
  return { launch, asked: releases.asked, got: join(cache, 'caravan', `dapr-${version}`, 'daprd') }
}

test('of two launchers at once one downloads, and the other waits and takes what it has got', async (t) => {
  const bothSpoke = Promise.withResolvers<void>()
  const machine = await openMachine(t, (bytes, response) => bothSpoke.promise.then(() => response.end(bytes)))
  const launchers = [machine.launch(), machine.launch()]
  void Promise.all(launchers.map(({ spoken }) => spoken)).then(() => bothSpoke.resolve())
  const ended = await Promise.all(launchers.map((each) => each.ended))
  assert.deepEqual(
    ended.map(({ got }) => got),
    [machine.got, machine.got],
    JSON.stringify(ended),
  )
  assert.deepEqual(machine.asked, names)
  assert.equal(
    ended.filter(({ said }) => /process \d+ is getting Dapr .*: waiting for it/.test(said)).length,
    1,
  )
})

test('a launcher that is killed in the middle of a download is in nobody’s way', async (t) => {
  const asked = Promise.withResolvers<void>()
  let silent = true
  const machine = await openMachine(t, (bytes, response) => {
    asked.resolve()
    if (!silent) response.end(bytes)
  })
  const first = machine.launch()
  await asked.promise
  first.launcher.kill('SIGKILL')
  await first.ended
  silent = false
  assert.equal((await machine.launch().ended).got, machine.got)
})

test('a start without a release and without Go says what it tried, and what to do', async (t) => {
  const machine = await openMachine(t, (bytes, response) => response.end(bytes), '9.9.9')
  const { got, said } = await machine.launch().ended
  assert.equal(got, '')
  assert.match(said, /is not installed: trying its official release\nno release: .*status 404/)
  assert.match(said, /run "dapr init --slim", or install Go/)
})
