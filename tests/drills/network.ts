import { setTimeout as pause } from 'node:timers/promises'
import { servicesWithDatabase } from '../../tools/launcher/databases.ts'
import { repository } from '../../tools/launcher/stack-file.ts'
import type { Drill } from './field.ts'
import { startToxiproxy, type Toxic } from './toxiproxy.ts'

const poisons: Record<string, readonly Toxic[]> = {
  '5 s latency': [{ type: 'latency', stream: 'downstream', attributes: { latency: 5000 } }],
  reset: [{ type: 'reset_peer', attributes: { timeout: 0 } }],
  /** Nothing passes, and nobody is told. */
  'half-open': [{ type: 'timeout', attributes: { timeout: 0 } }],
  /** 2 KB/s, in pieces of about 64 bytes. */
  slow: [
    { type: 'slicer', attributes: { average_size: 64, size_variation: 32, delay: 5000 } },
    { type: 'bandwidth', attributes: { rate: 2 } },
  ],
}

const databases = servicesWithDatabase(repository).map((service) => `${service}-mysql`)

/** What the proxies are between; `one database` is drawn anew each time. */
const places: Record<string, readonly string[]> = {
  'each app and MySQL': databases,
  'the sidecars and Redis': ['redis'],
  'the sidecar and the provider': ['psp'],
}

let toxiproxy: Awaited<ReturnType<typeof startToxiproxy>>

export const network: Drill = {
  name: 'network',
  what: 'Toxiproxy between app and MySQL (all apps, or one), sidecar and Redis, sidecar and provider: 5 s latency, reset, half-open, slow',
  /** Of each poison at each place. */
  rounds: 1,
  prepare: async (log) => {
    toxiproxy = await startToxiproxy(log)
    return {
      options: {
        detours: async ({ mysql, redis, psp }) => {
          const detours: Record<string, number> = {}
          for (const name of databases) detours[name] = await toxiproxy.proxy(name, mysql)
          detours.redis = await toxiproxy.proxy('redis', redis)
          detours.psp = await toxiproxy.proxy('psp', psp)
          return detours
        },
      },
      close: toxiproxy.close,
    }
  },
  run: async ({ random, rounds, holdMs, hold, recovered }) => {
    for (let round = 0; round < rounds; round++)
      for (const [poison, toxics] of Object.entries(poisons)) {
        const one = random.pick(databases)
        for (const [place, names] of Object.entries({ ...places, [one]: [one] })) {
          await pause(random.below(1000))
          await hold(
            `${poison}: ${place}`,
            holdMs,
            () => Promise.all(names.map((name) => toxiproxy.poison(name, toxics))),
            toxiproxy.cure,
          )
          await recovered()
        }
      }
    return undefined
  },
}
