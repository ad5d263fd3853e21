import { type Memory, readMemory } from './launcher/process-memory.ts'
import { readStack } from './launcher/stack-file.ts'

// The memory of a running stack's processes by kind, as Linux counts it. RSS counts a page in each process that maps it, PSS
// shares it out among them, so only PSS adds up. Of what runs in containers only the Docker client is seen.

const kindOf = (name: string): string => {
  if (name.endsWith('.sidecar')) return 'sidecars (daprd)'
  if (['mysql', 'redis', 'sentry', 'placement', 'scheduler', 'psp-sandbox', 'mail-sandbox'].includes(name))
    return name
  return 'apps (Node)'
}

const megabytes = (kilobytes: number) => `${(kilobytes / 1024).toFixed(0)} MiB`.padStart(9)

const row = (kind: string, all: readonly Memory[]): string => {
  const sum = (part: keyof Memory) => all.reduce((total, memory) => total + memory[part], 0)
  const sums = [sum('rss'), sum('pss'), sum('own')].map(megabytes).join('')
  return `${kind.padEnd(18)}${String(all.length).padStart(5)}${sums}`
}

const profile = process.env.STACK_PROFILE ?? 'shop'
const stack = readStack(profile)
if (!stack?.pid) {
  console.error(`no launcher runs a stack "${profile}"; npm start begins one`)
  process.exit(1)
}
const processes = Object.entries(stack.processes).flatMap(([name, { pid }]) =>
  pid ? [{ kind: kindOf(name), memory: readMemory(pid) }] : [],
)
processes.push({ kind: 'launcher', memory: readMemory(stack.pid) })

console.log(`${'processes'.padEnd(18)}count      RSS      PSS  private`)
for (const [kind, group] of Map.groupBy(processes, (each) => each.kind))
  console.log(
    row(
      kind,
      group.map(({ memory }) => memory),
    ),
  )
console.log(
  row(
    'together',
    processes.map(({ memory }) => memory),
  ),
)
