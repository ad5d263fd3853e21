import { setTimeout as pause } from 'node:timers/promises'
import { apps, type Drill } from './field.ts'
import { startSideTraffic } from './side-traffic.ts'

const victims = apps.flatMap((app) => [app, `${app}.sidecar`])
const most = 8

export const kills: Drill = {
  name: 'kills',
  what: 'kill -9 of each app and each sidecar at random moments: alone, an app with its sidecar, several at once',
  /** How often each of them dies. */
  rounds: 100,
  run: async (field) => {
    const { random, rounds, kill, recovered } = field
    const side = await startSideTraffic(field)
    const lives = new Map(victims.map((victim) => [victim, rounds]))
    /** Whoever has died least, by lot among equals. */
    const next = () =>
      [...lives]
        .filter(([, left]) => left > 0)
        .map(([victim, left]) => ({ victim, rank: random.next() - left }))
        .sort((a, b) => a.rank - b.rank)
        .map(({ victim }) => victim)
    try {
      for (let [first, ...others] = next(); first; [first, ...others] = next()) {
        const app = first.replace('.sidecar', '')
        const isPair = random.next() < 0.2
        const chosen = isPair ? [app, `${app}.sidecar`] : [first, ...others.slice(0, random.below(most))]
        for (const victim of chosen) lives.set(victim, (lives.get(victim) ?? 0) - 1)
        await pause(random.below(1000))
        await kill(chosen)
        await recovered()
      }
    } finally {
      await side.stop()
    }
    return undefined
  },
}
