import { setTimeout as pause } from 'node:timers/promises'
import { startBalancer } from './balancer.ts'
import { apps, type Drill } from './field.ts'

/** What is restarted together, one after the other. */
const pairOf = (name: string): string[] =>
  // The door closes before what is behind it; any other app goes when nobody finds its sidecar any more.
  name.startsWith('gateway') ? [name, `${name}.sidecar`] : [`${name}.sidecar`, name]

export const rolling: Drill = {
  name: 'rolling',
  what:
    'SIGTERM and a new start of everything in turns, two replicas of each, behind a load balancer: of an app with its sidecar, then ' +
    'of each app alone and of each sidecar alone. Clients ask once; a checkout that fails counts for what was away',
  rounds: 1,
  persist: false,
  prepare: async () => ({ options: { replicas: { all: 2 } } }),
  door: (stack) => startBalancer(stack.urls),
  run: async ({ random, rounds, failed, restart, recovered, succeeded }) => {
    const members = apps.flatMap((app) => [app, `${app}-2`])
    const units: Record<string, string[][]> = {
      'app with sidecar': members.map(pairOf),
      'app alone': members.map((name) => [name]),
      'sidecar alone': members.map((name) => [`${name}.sidecar`]),
    }
    const errors: Record<string, Record<string, number>> = {}
    const before = succeeded()
    for (let round = 0; round < rounds; round++)
      for (const [kind, all] of Object.entries(units)) {
        const own: Record<string, number> = {}
        for (const unit of all) {
          const known = failed.length
          await restart(kind, unit)
          await recovered()
          await pause(random.below(500))
          if (failed.length > known) own[unit[0] ?? ''] = failed.length - known
        }
        errors[kind] = { ...own, all: Object.values(own).reduce((sum, count) => sum + count, 0) }
      }
    return {
      figures: { 'checkouts meanwhile': succeeded() - before, 'failed checkouts': errors },
    }
  },
  mayEnd: (what) => what.includes(' 503 '),
}
