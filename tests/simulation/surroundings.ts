import type { CloudEvent, RawRequest } from '@caravan/service-kit/sidecar'
import type { Faults } from './faults.ts'
import type { Answer, Request } from './http-stand-in.ts'
import type { App } from './load-services.ts'
import type { Network } from './network.ts'
import type { Owner, Timeline } from './virtual-time.ts'

/** A thing that is not as it should be. */
export interface Objection {
  readonly invariant: string
  readonly what: string
}

/** What the parts of the world have of each other: the one timeline, the network between them, and who else is there. */
export interface Surroundings {
  readonly timeline: Timeline
  readonly network: Network
  readonly faults: Faults
  readonly locks: Locks
  readonly webhookSecret: string
  readonly note: (who: string, what: string) => void
  readonly object: (invariant: string, what: string) => void
  readonly skewOf: (app: App) => number
  readonly restart: (app: App, downMs: number) => void
  /** For good: what comes while no process of the app is there waits for one. */
  readonly subscribe: (app: App, topic: string) => void
  readonly subscribers: (topic: string) => readonly App[]
  /** Gives events to one process of an app, which says of each what became of it. */
  readonly deliver: (
    app: App,
    topic: string,
    events: readonly CloudEvent[],
    reply: (statuses: string[]) => void,
    fail: (why: string) => void,
  ) => void
  /** Resolves with the ids that the broker took. */
  readonly publish: (from: Owner, topic: string, events: readonly CloudEvent[]) => Promise<Set<string>>
  readonly ask: (from: Owner, name: string, app: App, request: Request, deadlineMs: number) => Promise<Answer>
  readonly askProvider: (
    from: Owner,
    name: string,
    raw: RawRequest,
  ) => Promise<{ status: number; body: unknown }>
  readonly priceOf: (sku: string) => number
  /** An app committed what an event made it do. */
  readonly handled: (app: App, eventId: string) => void
}

interface Locks {
  readonly acquire: (owner: Owner, name: string, by: string, ttlSeconds: number) => Promise<boolean>
  readonly release: (owner: Owner, name: string, by: string) => Promise<void>
}
