import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { stackFolder } from '../../../tools/launcher/stack-file.ts'
import { type Detector, detectors, openDetectors, type Verdict } from './detectors.ts'
import { type DrillRun, type Mutant, mutants } from './mutants.ts'
import { copyTree } from './tree.ts'

export interface MutantsReport {
  readonly commit: string
  readonly uncommittedChanges: boolean
  readonly at: string
  readonly seconds: number
  readonly mutants: readonly Judged[]
  /** What is wrong; empty when each mutant was caught, and nothing was found in the product as it is. */
  readonly failures: readonly string[]
}

interface Judged extends Pick<Mutant, 'name' | 'what'> {
  readonly seconds: number
  readonly verdicts: Readonly<Record<Detector, Verdict>>
}

export interface MutantsOptions {
  /** The name of the only mutant. */
  readonly only?: string | undefined
  readonly signal: AbortSignal
  readonly log: (line: string) => void
}

const secondsSince = (start: number): number => Math.round((performance.now() - start) / 1000)

/**
 * Shows the detectors a copy of the repository as it is, in which they must find nothing, and then with one safeguard
 * switched off at a time. What their commands say is kept in `.caravan/drills/mutants`. Throws when there is no such mutant,
 * when one does not fit the sources any more, and on the signal.
 */
export const runMutants = async ({ only, signal, log }: MutantsOptions): Promise<MutantsReport> => {
  const startedAt = performance.now()
  const chosen = mutants.filter(({ name }) => only === undefined || name === only)
  if (chosen.length === 0)
    throw new Error(`no mutant is called ${only}: ${mutants.map(({ name }) => name).join(', ')}`)
  const tree = copyTree()
  try {
    for (const { edits } of chosen) await tree.mutate(edits, async () => {})
    const folder = join(stackFolder('drills'), 'mutants')
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    const lookFor = (name: string) => openDetectors(tree.root, join(folder, name), signal)
    const control = await lookAtOriginal(lookFor('unchanged'), chosen, log)
    const judged: Judged[] = []
    if (control.length === 0)
      for (const { name, what, edits, ...watch } of chosen) {
        const begun = performance.now()
        const verdicts = await tree.mutate(edits, () => lookAt(lookFor(name), watch, `${name}: `, log))
        judged.push({ name, what, verdicts, seconds: secondsSince(begun) })
      }
    const failures = [...control, ...judged.flatMap(complaints)]
    const { commit, uncommittedChanges } = tree
    const at = new Date(performance.timeOrigin + startedAt).toISOString()
    return { commit, uncommittedChanges, at, seconds: secondsSince(startedAt), mutants: judged, failures }
  } finally {
    tree.remove()
  }
}

type Look = ReturnType<typeof openDetectors>
type Watch = Pick<Mutant, 'tests' | 'drill' | 'simulation'>

const lookAt = async (
  look: Look,
  { tests, drill, simulation }: Watch,
  about: string,
  log: MutantsOptions['log'],
): Promise<Record<Detector, Verdict>> => {
  const told = <T extends Partial<Record<Detector, Verdict>>>(verdicts: T): T => {
    for (const [detector, verdict] of Object.entries(verdicts)) log(`${about}${detector}: ${tell(verdict)}`)
    return verdicts
  }
  const blind = (why: string) => ({ is: 'blind', why }) as const
  return {
    ...told({ test: await look.test(tests) }),
    ...told(
      'blind' in drill ? { drill: blind(drill.blind), auditor: blind(drill.blind) } : await look.drill(drill),
    ),
    ...told({
      simulation: simulation === 'simulated' ? await look.simulation() : blind(simulation.blind),
    }),
  }
}

/** All that any of the mutants is shown to. Gives what was found, of which there must be nothing. */
const lookAtOriginal = async (
  look: Look,
  chosen: readonly Mutant[],
  log: MutantsOptions['log'],
): Promise<string[]> => {
  const found: string[] = []
  const note = (what: string, verdict: Verdict) => {
    log(`unchanged: ${what}: ${tell(verdict)}`)
    if (verdict.is !== 'missed')
      found.push(`the ${what} does not pass on the unchanged product: ${tell(verdict)}`)
  }
  note('test', await look.test([...new Set(chosen.flatMap(({ tests }) => tests))]))
  const drills = new Map<string, DrillRun>()
  for (const { drill } of chosen) if (!('blind' in drill)) drills.set(JSON.stringify(drill), drill)
  for (const drill of drills.values()) {
    const verdicts = await look.drill(drill)
    note(`drill ${drill.name}`, verdicts.drill)
    note(`audit after ${drill.name}`, verdicts.auditor)
  }
  if (chosen.some(({ simulation }) => simulation === 'simulated')) note('simulation', await look.simulation())
  return found
}

const complaints = ({ name, verdicts }: Judged): string[] => [
  ...(detectors.some((detector) => verdicts[detector].is === 'caught') ? [] : [`nothing caught ${name}`]),
  ...detectors.flatMap((detector) => {
    const verdict = verdicts[detector]
    return verdict.is === 'error' ? `${name}: ${detector}: ${tell(verdict)}` : []
  }),
]

export const tell = (verdict: Verdict): string => {
  if (verdict.is === 'caught') return `caught: ${verdict.by}`
  if (verdict.is === 'blind') return `cannot see it: ${verdict.why}`
  return verdict.is === 'error' ? `failed: ${verdict.why}` : 'found nothing'
}
