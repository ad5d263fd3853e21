import type { Operation } from '@caravan/contracts/operation'
import { AppError, asAppError, fromProblem, toProblem } from '@caravan/service-kit/errors'
import { createIdempotency } from '@caravan/service-kit/idempotency'
import type { Log } from '@caravan/service-kit/log'
import { createOutbox } from '@caravan/service-kit/outbox'
import { serve } from '@caravan/service-kit/route'
import type { ServiceWithDatabase } from '@caravan/service-kit/run-service'
import type { CloudEvent, RawRequest, Sidecar } from '@caravan/service-kit/sidecar'
import { createConsumer, type Subscription } from '@caravan/service-kit/subscription'
import { contractAccess } from '@caravan/service-kit/testing/contract-access'
import type { Middleware } from 'koa'
import { type Answer, authenticate, contextOf, type Request } from './http-stand-in.ts'
import { knexOnMemory, type Passage } from './knex-on-memory.ts'
import type { App } from './load-services.ts'
import type { MemoryDatabase, Transaction } from './memory-database.ts'
import type { Surroundings } from './surroundings.ts'
import type { Owner } from './virtual-time.ts'

/** Logs to the world: an ERROR means that a person must act, and nobody is there. */
const logOf = (name: string, world: Surroundings): Log => {
  const write = (level: string) => (about: unknown, message?: string) => {
    const { err, ...rest } = (typeof about === 'object' ? about : {}) as { err?: unknown }
    const reason = err instanceof Error ? ` (${err.message})` : ''
    const text = `${message ?? about}${reason} ${JSON.stringify(rest)}`
    world.note(name, `${level}: ${text}`)
    if (level === 'error') world.object('defect', `${name} logged an error: ${text}`)
  }
  const [quiet, warn, error] = [() => {}, write('warn'), write('error')]
  return { trace: quiet, debug: quiet, info: quiet, warn, error, fatal: error } as unknown as Log
}

/** Starts one process of a service on its database: all of it is real but what is around it. */
export const startProcess = (
  app: App,
  service: ServiceWithDatabase,
  server: MemoryDatabase,
  world: Surroundings,
) => {
  const { timeline, network, faults } = world
  const owner: Owner = { name: app, alive: true, skew: world.skewOf(app), startedAt: timeline.now() }
  const open = new Set<Transaction>()
  const inHand = new Set<(why: string) => void>()
  const log = logOf(app, world)
  let handlers: Map<string, Middleware> | undefined
  let topics: Map<string, Middleware> | undefined

  const kill = (downMs: number): void => {
    if (!owner.alive) return
    owner.alive = false
    world.note(app, `killed, down for ${downMs} ms`)
    for (const tx of open) server.rollback(tx)
    for (const fail of inHand) fail('the process died')
    world.restart(app, downMs)
  }

  /** The events that are handled in a transaction. */
  const handling = new WeakMap<object, string[]>()
  const observed = (each: Subscription): Subscription => ({
    ...each,
    handleAll: (events, tx) => {
      handling.set(tx, [...(handling.get(tx) ?? []), ...events.map(({ head }) => head.id)])
      return each.handleAll(events, tx)
    },
  })

  let down = 0
  const pass = (kind: 'statement' | 'commit', sql: string): Promise<Passage> =>
    new Promise((resolve) => {
      let wait = network.pause()
      let passage: Passage = 'done'
      for (const { kind: fault, ms } of faults.at(`${app} ${kind}`)) {
        world.note(app, `${fault} ${sql.slice(0, 60)}`)
        if (fault === 'slow') wait += ms
        if (fault === 'crash-before') return kill(ms)
        if (fault === 'crash-after') [passage, down] = ['last', ms]
        if (fault === 'broken-before') passage = 'broken'
        if (fault === 'broken-after') passage = 'unheard'
      }
      timeline.after(wait, owner, () => {
        world.note(app, sql)
        resolve(passage)
      })
    })

  const db = knexOnMemory(
    server,
    {
      pass,
      wait: (register, ms, late) =>
        new Promise((resolve) => {
          const timer = timeline.after(ms, owner, late, true)
          register(() => {
            timeline.cancel(timer)
            timeline.after(network.pause(), owner, resolve)
          })
        }),
      stop: () => {
        kill(down)
        return new Promise<never>(() => {})
      },
      committed: (tx) => {
        for (const id of handling.get(tx as object) ?? []) world.handled(app, id)
      },
    },
    open,
  )

  /** Runs what came in from outside in this process; the sender learns when the process dies meanwhile. */
  const take = <T>(work: () => Promise<T>, reply: (answer: T) => void, fail: (why: string) => void): void => {
    inHand.add(fail)
    timeline.after(0, owner, () => {
      work().then(
        (answer) => {
          inHand.delete(fail)
          reply(answer)
        },
        (error) => world.object('defect', `${app} threw ${error}`),
      )
    })
  }

  const answer = async (request: Request): Promise<Answer> => {
    const handle = handlers?.get(request.operation)
    if (!handle) throw new Error(`no operation ${request.operation}`)
    const ctx = contextOf(request)
    try {
      await handle(ctx as never, async () => {})
      const body = ctx.body === undefined ? undefined : JSON.parse(JSON.stringify(ctx.body))
      return { status: ctx.status, problem: ctx.type === 'application/problem+json', body }
    } catch (error) {
      const known = asAppError(error)
      if (!known) world.object('defect', `${app} ${request.operation}: ${(error as Error).stack}`)
      return { status: known?.status ?? 500, problem: true, body: toProblem(known) }
    }
  }

  const consume = async (topic: string, events: readonly CloudEvent[]): Promise<string[]> => {
    const entries = events.map((event) => ({ entryId: event.id, event }))
    const ctx = contextOf({ operation: topic, headers: {}, body: JSON.stringify({ entries }) })
    await topics?.get(topic)?.(ctx as never, async () => {})
    const { statuses } = ctx.body as { statuses: { entryId: string; status: string }[] }
    return events.map((event) => statuses.find(({ entryId }) => entryId === event.id)?.status ?? 'RETRY')
  }

  /** The kit's own `call`, on this network instead of HTTP. */
  const call: Sidecar['call'] = async (operation, input, options = {}) => {
    const op = operation as unknown as Operation
    const { params, query, body } = input as Record<string, Record<string, unknown> | undefined>
    const request: Request = {
      ...{ operation: op.id, params, query },
      headers: {
        'dapr-caller-app-id': app,
        'content-type': 'application/json',
        ...(options.authorization ? { authorization: options.authorization } : {}),
      },
      body: body ? JSON.stringify(body) : '',
    }
    const found = await world.ask(owner, app, op.app as App, request, options.deadlineMs ?? 3000)
    if (found.status === op.status) {
      const parsed = op.response?.safeParse(found.body)
      if (!parsed || parsed.success) return parsed?.data as never
    }
    if (found.problem) throw fromProblem(found.status, found.body as never)
    throw new AppError('unavailable', `${op.app}/unavailable`, 'Try again in a moment', {
      retryAfterSeconds: 1,
    })
  }

  const sidecar = {
    call,
    invoke: async (_: 'psp', raw: RawRequest) => {
      const found = await world.askProvider(owner, app, raw)
      const text = JSON.stringify(found.body)
      const body = { bytes: async () => Buffer.from(text), dump: async () => {} }
      return { statusCode: found.status, headers: {}, body }
    },
    publish: (_: string, topic: string, events: readonly CloudEvent[]) =>
      world.publish(owner, topic, JSON.parse(JSON.stringify(events))),
    lock: {
      acquire: (_: string, name: string, by: string, ttlSeconds: number) =>
        world.locks.acquire(owner, name, by, ttlSeconds),
      release: (_: string, name: string, by: string) => world.locks.release(owner, name, by),
    },
    secret: async () => world.webhookSecret,
    configuration: async () => ({}),
  } as unknown as Sidecar

  const start = async (): Promise<void> => {
    const outbox = createOutbox({ name: app, db, sidecar, log })
    const parts = await service.build({ sidecar, log, db, outbox, shards: [{ db, outbox }] })
    const consumer = createConsumer({ log, databases: [db], afterCommit: () => outbox.wake() })
    const context = { name: app, authenticate, access: contractAccess, idempotency: createIdempotency(db) }
    handlers = new Map(parts.routes.map((route) => [route.operation.id, serve(route, context)]))
    topics = new Map(
      (parts.subscriptions ?? []).map((each) => [each.definition.topic, consumer.endpoint(observed(each))]),
    )
    for (const topic of topics.keys()) world.subscribe(app, topic)
    for (const each of [outbox, ...(parts.background ?? [])]) each.start()
  }
  timeline.after(network.pause(), owner, () => {
    start().catch((error) => world.object('defect', `${app} did not start: ${error.stack}`))
  })

  return {
    ...{ app, owner, kill },
    ready: () => owner.alive && handlers !== undefined,
    /** Answers a request, or fails when the process dies before it has. */
    handle: (request: Request, reply: (answer: Answer) => void, fail: (why: string) => void) =>
      take(() => answer(request), reply, fail),
    /** Gives the events of a delivery to their subscription; a status for each. */
    deliver: (
      topic: string,
      events: readonly CloudEvent[],
      reply: (s: string[]) => void,
      fail: (why: string) => void,
    ) => take(() => consume(topic, events), reply, fail),
  }
}

export type ServiceProcess = ReturnType<typeof startProcess>
