import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Failpoint } from '@caravan/service-kit/failpoint'
import { stackFolder } from '../../tools/launcher/stack-file.ts'
import type { App, Drill } from './field.ts'
import { startSideTraffic } from './side-traffic.ts'

const commit: Failpoint[] = ['before-commit', 'after-commit']
const publish: Failpoint[] = ['before-publish', 'after-publish']
const provider: Failpoint[] = ['before-provider-call', 'after-provider-call']
const acknowledgement: Failpoint[] = ['before-acknowledgement', 'after-acknowledgement']

/** The points that each service comes to. */
const reached: Record<App, Failpoint[]> = {
  identity: [...commit, ...publish, ...acknowledgement, 'before-answer'],
  catalog: [...commit, ...publish, ...acknowledgement, 'before-answer'],
  inventory: [...commit, ...publish, ...acknowledgement, 'before-answer'],
  carts: [...acknowledgement, 'before-answer'],
  orders: [...commit, ...publish, ...acknowledgement, 'before-answer'],
  payments: [...commit, ...publish, ...provider, ...acknowledgement, 'before-answer'],
  promotions: [...commit, ...acknowledgement],
  gateway: [...acknowledgement],
}

export const pointsOfAll = Object.entries(reached).flatMap(([app, points]) =>
  points.map((point) => `${app}.${point}`),
)

const perRound = 3
/** Rounds in which no point that lacks hits was hit; then the rest is given up. */
const patience = 10
const hitMs = 6000
const folder = join(stackFolder('drill'), 'failpoints')

export const failpoints: Drill = {
  name: 'failpoints',
  what: 'an app stopped dead at a failpoint, then kill -9 of it and its sidecar together',
  /** How often each failpoint is hit, at least. */
  rounds: 10,
  prepare: async () => {
    mkdirSync(folder, { recursive: true })
    return { options: { env: { '*': { FAILPOINTS: folder } } } }
  },
  run: async (field) => {
    const { random, rounds, kill, recovered } = field
    const side = await startSideTraffic(field)
    const hits = new Map(pointsOfAll.map((point) => [point, 0]))
    const lack = () => [...hits.values()].reduce((sum, count) => sum + Math.max(0, rounds - count), 0)
    const rank = (point: string) => (hits.get(point) ?? 0) + random.next()

    /** Waits until the app stands at the point, and kills it there. */
    const strike = async (point: string) => {
      const armed = join(folder, point)
      const end = Date.now() + hitMs
      while (!existsSync(`${armed}.hit`) && Date.now() < end) await pause(5)
      rmSync(armed, { force: true })
      if (!existsSync(`${armed}.hit`)) return
      rmSync(`${armed}.hit`)
      hits.set(point, (hits.get(point) ?? 0) + 1)
      const app = point.slice(0, point.indexOf('.'))
      await kill([app, `${app}.sidecar`], point)
    }

    try {
      for (let misses = 0, lacking = lack(); misses < patience && lacking > 0; ) {
        const ranked = pointsOfAll
          .map((point) => ({ point, rank: rank(point) }))
          .sort((a, b) => a.rank - b.rank)
        const byApp = new Map(ranked.toReversed().map(({ point }) => [point.split('.')[0], point]))
        const chosen = ranked
          .filter(({ point }) => byApp.get(point.split('.')[0]) === point)
          .slice(0, perRound)
        for (const { point } of chosen) writeFileSync(join(folder, point), '')
        await Promise.all(chosen.map(({ point }) => strike(point)))
        await recovered()
        misses = lack() < lacking ? 0 : misses + 1
        lacking = lack()
      }
    } finally {
      await side.stop()
    }
    const seen = readdirSync(folder).flatMap((file) => (file.endsWith('.seen') ? file.slice(0, -5) : []))
    const rarely = [...hits].filter(([, count]) => count < rounds)
    return {
      failures: [
        ...rarely.map(([point, count]) => `${point} was hit ${count} times only`),
        ...seen.flatMap((point) => (hits.has(point) ? [] : `${point} is reached, and was not drilled`)),
      ],
    }
  },
}
