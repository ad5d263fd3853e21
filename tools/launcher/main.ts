import { type Arguments, parseArguments } from './arguments.ts'
import { check, verify } from './check.ts'
import { against, reset, start, stop } from './commands.ts'
import { AlreadyRunning } from './control.ts'
import { doctor } from './doctor.ts'
import { run } from './run.ts'
import { readStack } from './stack-file.ts'
import { test } from './test.ts'

type Command = (args: Arguments, signal: AbortSignal) => Promise<number>

const commands: Record<string, Command> = {
  start,
  stop,
  reset,
  doctor,
  check: (_, signal) => check({ signal }),
  'verify:delivery': ({ files }, signal) => verify('tests/delivery')(files, { signal }),
  'verify:invoices': ({ files }, signal) => verify('tests/invoices')(files, { signal }),
  test,
  seed: against('tools/seed/main.ts'),
  demo: against('tests/demo.ts'),
  contract: against('tools/contract.ts'),
  'dead-letters': against('tools/dead-letters.ts'),
  footprint: against('tools/footprint.ts'),
}

/** Programs that read their own options and find their stack by themselves. */
const programs: Record<string, string> = {
  'access-control': 'tools/access-control.ts',
  kubernetes: 'tools/kubernetes/main.ts',
  attach: 'tools/kubernetes/attach.ts',
  'verify:manifests': 'tools/kubernetes/verify-manifests.ts',
  standards: 'tools/standards.ts',
  audit: 'tests/audit/main.ts',
  bench: 'tests/bench/main.ts',
  drill: 'tests/drills/main.ts',
  'first-start': 'tests/bench/first-start.ts',
  heap: 'tests/bench/sidecar-heap.ts',
  images: 'tools/containers/images.ts',
  load: 'tests/load/main.ts',
  promote: 'tools/delivery/promote.ts',
  release: 'tools/delivery/release.ts',
  scan: 'tools/delivery/scan.ts',
  'sidecar-builds': 'tests/bench/sidecar-builds.ts',
  simulate: 'tests/simulation/main.ts',
  fuzz: 'tools/fuzz.ts',
  'rotate-keys': 'tools/rotate-keys.ts',
  'verify:compose': 'tests/verify/compose.ts',
  'verify:canary': 'tests/verify/canary.ts',
  'verify:kubernetes': 'tests/verify/kubernetes.ts',
}

const interruption = new AbortController()
const interrupt = () => interruption.abort()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt)
// tools/caravan.mjs holds the other end, which closes when that process dies.
process.on('disconnect', interrupt)
process.channel?.unref()

const explain = (error: unknown): string => {
  if (!(error instanceof AlreadyRunning)) return error instanceof Error ? error.message : String(error)
  const running = readStack(error.profile)
  const where = running ? ` (pid ${running.pid}), ${running.url}` : ', not ready yet'
  return `already running${where}; npm run stop ends it`
}

const main = async (): Promise<number> => {
  const [name = '', ...rest] = process.argv.slice(2)
  const program = programs[name]
  if (program) return run('node', [program, ...rest], { signal: interruption.signal })
  const args = parseArguments(process.argv.slice(2))
  const command = commands[args.command]
  if (!command)
    throw new Error(`no command ${args.command}: ${Object.keys({ ...commands, ...programs }).join(', ')}`)
  return command(args, interruption.signal)
}

try {
  process.exitCode = await main()
} catch (error) {
  console.error(explain(error))
  process.exitCode = 1
}
process.exit()
