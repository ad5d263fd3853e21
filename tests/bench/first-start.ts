import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { installedDapr } from '../../tools/launcher/dapr-binaries.ts'
import { inherited } from '../../tools/launcher/environment.ts'
import { isFree, portHolder } from '../../tools/launcher/ports.ts'
import { repository } from '../../tools/launcher/stack-file.ts'
import { declaredPorts, readTopology } from '../../tools/launcher/topology.ts'
import { describeMachine, git } from './machine.ts'
import { cpuOfEndedChildren } from './measure.ts'
import { describeRun, row, showSpread } from './measurements.ts'
import { ratios, spread } from './statistics.ts'

/**
 * npm run first-start -- COMMIT [--rounds N]: what somebody new waits for, at an older commit and at HEAD, in turns. `npm start` in a fresh
 * clone until the shop runs, packages and Dapr included, with nothing in the caches of Go's builds and of Caravan's programs; npm's cache
 * and Go's modules are what they are. The processor time is that of all that was started for it, its end too. A table on stderr, all samples as
 * JSON on stdout. Exit 1 when a start failed, or could not show anything: the shop's ports are taken, or a Dapr is installed.
 */

interface Sample {
  readonly seconds: number
  readonly cpuSeconds: number
}

const log = (line: string) => console.error(line)

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '1' } },
})
const rounds = Number(values.rounds)
const [old] = positionals
if (!old || positionals.length > 1 || !Number.isInteger(rounds) || rounds < 1) {
  log('npm run first-start -- COMMIT [--rounds N]')
  process.exit(2)
}

let end = () => {}
let interrupted = false
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    interrupted = true
    end()
  })

/** As it was before npm put the programs of this repository first. */
const path = (process.env.PATH ?? '')
  .split(delimiter)
  .filter((folder) => !folder.includes('node_modules'))
  .join(delimiter)

const assertPortsFree = async () => {
  for (const [name, port] of declaredPorts(readTopology(repository)))
    if (!(await isFree(port)))
      throw new Error(
        `port ${port} of ${name} is taken by ${portHolder(port) ?? 'another program'}: end it first`,
      )
}

const assertNoDapr = () => {
  const { daprd } = installedDapr(repository) ?? {}
  if (daprd) throw new Error(`${daprd} is installed, so a start would get none: take it off the PATH`)
}

/** Starts a clone as it is and ends it again. What it says on its way is shown, but for logins. */
const startOnce = async (clone: string, caches: string): Promise<Sample> => {
  // The launcher of this repository names its own folder of compiled code.
  const { NODE_COMPILE_CACHE: _, ...ours } = inherited()
  const env = { ...ours, PATH: path, XDG_CACHE_HOME: join(caches, 'user'), GOCACHE: join(caches, 'go') }
  const [cpuBefore, begun] = [cpuOfEndedChildren(), performance.now()]
  const child = spawn('npm', ['start'], { cwd: clone, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let seconds: number | undefined
  end = () => void child.kill('SIGTERM')
  if (interrupted) end()
  createInterface(child.stderr).on('line', (line) => log(`    ${line}`))
  createInterface(child.stdout).on('line', (line) => {
    if (seconds !== undefined || !line.startsWith('Caravan runs')) return
    seconds = (performance.now() - begun) / 1000
    end()
  })
  const code = await new Promise((closed, failed) => child.on('error', failed).on('close', closed))
  if (interrupted) throw new Error('interrupted')
  if (seconds === undefined) throw new Error(`npm start ended with ${code} before the shop ran`)
  return { seconds, cpuSeconds: (cpuOfEndedChildren() - cpuBefore) / 1000 }
}

const firstStart = async (commit: string): Promise<Sample> => {
  await assertPortsFree()
  assertNoDapr()
  const place = mkdtempSync(join(tmpdir(), 'caravan-first-start-'))
  const [clone, caches] = [join(place, 'caravan'), join(place, 'caches')]
  try {
    git('clone', '--quiet', '--no-checkout', repository, clone)
    execFileSync('git', ['-C', clone, 'checkout', '--quiet', '--detach', commit])
    mkdirSync(caches)
    return await startOnce(clone, caches)
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}

const begun = Date.now()
try {
  const commits = [old, 'HEAD'].map((name) => git('rev-parse', '--short', `${name}^{commit}`))
  const ways = commits.map((commit, index) => ({
    ...{ name: `${index === 0 ? 'old' : 'new'} way, ${commit}`, commit, samples: [] as Sample[] },
  }))
  for (let round = 1; round <= rounds; round += 1)
    for (const { name, commit, samples } of ways) {
      log(`  ${round}/${rounds}  ${name}`)
      const sample = await firstStart(commit)
      samples.push(sample)
      log(`  ${sample.seconds.toFixed(1)} s, ${sample.cpuSeconds.toFixed(1)} s of processors`)
    }

  const run = {
    ...{ at: new Date(begun).toISOString(), commit: String(commits[1]), rounds },
    ...{ machine: describeMachine(undefined), minutes: (Date.now() - begun) / 60_000 },
  }
  const [base = []] = ways.map(({ samples }) => samples)
  const cells = (samples: readonly Sample[], part: keyof Sample) => {
    const [numbers, first] = [samples, base].map((all) => all.map((sample) => sample[part])) as [
      number[],
      number[],
    ]
    return [showSpread(spread(numbers)), samples === base ? '1' : showSpread(ratios(numbers, first))]
  }
  const table = [
    row(['first start', 'wall clock s', 'to the old', 'processors s', 'to the old']),
    row(['---', '---:', '---:', '---:', '---:']),
    ...ways.map(({ name, samples }) =>
      row([name, ...cells(samples, 'seconds'), ...cells(samples, 'cpuSeconds')]),
    ),
  ]
  log(['', ...describeRun(run), '', ...table, ''].join('\n'))
  console.log(
    JSON.stringify({ ...run, samples: Object.fromEntries(ways.map(({ name, samples }) => [name, samples])) }),
  )
} catch (error) {
  log(`the run is void: ${error instanceof Error ? error.message : error}`)
  process.exitCode = 1
}
process.exit()
