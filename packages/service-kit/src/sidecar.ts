import { EventEmitter } from 'node:events'
import { invokedPath, type Operation } from '@caravan/contracts/operation'
import { type Dispatcher, Pool } from 'undici'
import type { z } from 'zod'
import { decodeText } from './decode-text.ts'
import { AppError, fromProblem } from './errors.ts'
import { sidecarSeconds } from './metrics.ts'
import { parseKnown } from './parse-known.ts'
import { isUnreached, repeatUnreached } from './repeat-unreached.ts'
import { traceparent } from './trace.ts'

export interface SidecarOptions {
  readonly port: number
  readonly host?: string
  readonly token: string
  /** At most so many calls at a time; more wait, within their deadline. */
  readonly connections?: number
  /** Milliseconds for one call where the caller gives none. */
  readonly deadlineMs?: number
}

/** CloudEvents 1.0, structured mode. */
export interface CloudEvent {
  readonly specversion: '1.0'
  readonly id: string
  readonly source: string
  readonly type: string
  readonly time: string
  readonly datacontenttype: 'application/json'
  readonly data: unknown
  /** The CloudEvents partitioning extension: a broker with partitions keeps the order of one key's events. */
  readonly partitionkey?: string
  readonly traceparent?: string
  /** Dapr's own: the same as `traceparent`. */
  readonly traceid?: string
}

export interface RawRequest {
  readonly method: Dispatcher.HttpMethod
  /** Path and query on the target, with the leading slash. */
  readonly path: string
  readonly headers?: Record<string, string>
  readonly body?: Dispatcher.DispatchOptions['body']
  readonly deadlineMs?: number
}

export interface CallOptions {
  /** The `Authorization` header of the caller on whose behalf this call is made. */
  readonly authorization?: string
  readonly deadlineMs?: number
}

type Given<T, K extends string> = T extends z.ZodNever
  ? unknown
  : T extends z.ZodType
    ? Record<K, z.input<T>>
    : unknown
type CallInput<P, Q, B> = Given<P, 'params'> & Given<Q, 'query'> & Given<B, 'body'>

const json = { 'content-type': 'application/json' }

/** Of one bulk publish: daprd takes 4 MiB. */
const maxBatchBytes = 3_145_728

interface Entry {
  readonly id: string
  readonly text: string
}

/** The events as entries of bulk publishes, in batches that fit into one; an event that does not is one by itself. */
const inBatches = (events: readonly CloudEvent[]): Entry[][] => {
  const batches: Entry[][] = []
  let room = 0
  for (const event of events) {
    const text = JSON.stringify({
      entryId: event.id,
      event,
      contentType: 'application/cloudevents+json',
      ...(event.partitionkey ? { metadata: { partitionKey: event.partitionkey } } : {}),
    })
    const bytes = Buffer.byteLength(text) + 1
    if (bytes > room) {
      batches.push([])
      room = maxBatchBytes
    }
    batches.at(-1)?.push({ id: event.id, text })
    room -= bytes
  }
  return batches
}
const isProblem = (type: unknown): boolean => String(type).startsWith('application/problem+json')

/** What a sidecar's rate limit said: all callers together ask for this too often, whoever is the next. */
export const overLimit = (what: string): AppError =>
  new AppError('too-many', `${what}/too-many-requests`, 'Too many ask for this: try again in a moment', {
    retryAfterSeconds: 1,
  })

/**
 * The only way out of a service: its own sidecar, over one keep-alive pool. Every call has a deadline, carries the trace
 * and the API token, and fails with an AppError: `unavailable` when nothing useful answered, `too-many` when the sidecar's own rate limit
 * refused it, else what the callee said.
 */
export const createSidecar = ({
  port,
  host = '127.0.0.1',
  token,
  deadlineMs = 3000,
  connections = 128,
}: SidecarOptions) => {
  const pool = new Pool(`http://${host}:${port}`, {
    connections,
    pipelining: 1,
    keepAliveTimeout: 30_000,
  })

  const request = async (call: string, raw: RawRequest): Promise<Dispatcher.ResponseData> => {
    const trace = traceparent()
    const stop = sidecarSeconds.startTimer({ call })
    // Not AbortSignal.timeout: that makes its error for every call, long after most have ended.
    const deadline = new EventEmitter()
    const timer = setTimeout(() => deadline.emit('abort'), raw.deadlineMs ?? deadlineMs)
    try {
      const response = await pool.request({
        method: raw.method,
        path: raw.path,
        headers: { 'dapr-api-token': token, ...(trace ? { traceparent: trace } : {}), ...raw.headers },
        body: raw.body ?? null,
        signal: deadline,
      })
      response.body.once('close', () => clearTimeout(timer))
      stop({ outcome: String(response.statusCode) })
      return response
    } catch (cause) {
      clearTimeout(timer)
      stop({ outcome: 'unreachable' })
      throw unreachable(cause)
    }
  }

  const unreachable = (cause: unknown) =>
    new AppError('unavailable', 'sidecar/unavailable', 'Try again in a moment', {
      retryAfterSeconds: 1,
      cause,
    })

  /** A building block's own call: JSON in, JSON out; anything but 2xx is `unavailable`. */
  const block = async (
    call: string,
    raw: RawRequest,
  ): Promise<{ response: Dispatcher.ResponseData; body: unknown }> => {
    const response = await request(call, raw)
    const body = response.statusCode === 204 ? undefined : await readJson(response)
    if (response.statusCode < 300) return { response, body }
    if (response.statusCode === 429) throw overLimit('sidecar')
    const code = (body as { errorCode?: string } | undefined)?.errorCode ?? `status ${response.statusCode}`
    throw new AppError('unavailable', `sidecar/${call}-failed`, code, {
      data: { sidecarStatus: response.statusCode },
      cause: (body as { message?: string } | undefined)?.message,
    })
  }

  const readJson = async (response: Dispatcher.ResponseData): Promise<unknown> => {
    const bytes = await response.body.bytes().catch((cause) => {
      throw unreachable(cause)
    })
    try {
      return bytes.length === 0 ? undefined : JSON.parse(decodeText(bytes))
    } catch {
      return undefined
    }
  }

  /** Any request to another app's HTTP surface; the answer as it came, whatever its status. */
  const invoke = (app: string, raw: RawRequest): Promise<Dispatcher.ResponseData> =>
    request(`invoke ${app}`, { ...raw, path: `/v1.0/invoke/${app}/method${raw.path}` })

  /** Calls a contract's operation and checks the answer against it. Throws the callee's problem as an AppError. */
  const call = async <P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, R extends z.ZodType>(
    op: Operation<P, Q, B, R>,
    input: CallInput<P, Q, B>,
    { authorization, ...options }: CallOptions = {},
  ): Promise<z.output<R>> => {
    const { params, query, body } = input as Record<string, Record<string, unknown> | undefined>
    const search = new URLSearchParams({ ...params, ...query } as Record<string, string>)
    const raw: RawRequest = {
      method: op.method,
      path: search.size > 0 ? `${invokedPath(op)}?${search}` : invokedPath(op),
      headers: { ...(body ? json : {}), ...(authorization ? { authorization } : {}) },
      body: body ? JSON.stringify(body) : null,
    }
    const { response, answer } = await repeatUnreached(
      options.deadlineMs ?? deadlineMs,
      async (leftMs) => {
        const response = await invoke(op.app, { ...raw, deadlineMs: leftMs })
        return { response, answer: await readJson(response) }
      },
      ({ response, answer }) => isUnreached(response.statusCode, answer),
    )
    if (response.statusCode === op.status) {
      if (!op.response) return undefined as z.output<R>
      const parsed = parseKnown(op.response, answer)
      if (parsed.success) return parsed.data
    }
    if (answer && isProblem(response.headers['content-type']))
      throw fromProblem(response.statusCode, answer as never)
    if (response.statusCode === 429) throw overLimit(op.app)
    // Also an empty 200: that is what daprd 1.18 may make of a connection that failed while another call was under way.
    throw new AppError('unavailable', `${op.app}/unavailable`, 'Try again in a moment', {
      retryAfterSeconds: 1,
      cause: answer ?? `status ${response.statusCode}`,
    })
  }

  /**
   * Hands events to the broker and returns the ids that it accepted; the others must be sent again. The ids of the
   * CloudEvents are kept, so a consumer can know a repeat. Order within one call is not kept by every broker.
   */
  const publish = async (
    pubsub: string,
    topic: string,
    events: readonly CloudEvent[],
  ): Promise<Set<string>> => {
    const headers = { 'content-type': 'application/cloudevents+json' }
    const [first] = events
    if (first && events.length === 1) {
      const key = first.partitionkey ? `?metadata.partitionKey=${encodeURIComponent(first.partitionkey)}` : ''
      const path = `/v1.0/publish/${pubsub}/${topic}${key}`
      await block('publish', { method: 'POST', path, headers, body: JSON.stringify(first) })
      return new Set([first.id])
    }
    const accepted = new Set<string>()
    for (const batch of inBatches(events)) {
      const taken = await publishBatch(pubsub, topic, batch).catch((error) => {
        if (accepted.size === 0) throw error
        return []
      })
      for (const id of taken) accepted.add(id)
    }
    return accepted
  }

  const publishBatch = async (pubsub: string, topic: string, batch: readonly Entry[]): Promise<string[]> => {
    const response = await request('bulk-publish', {
      method: 'POST',
      path: `/v1.0/publish/bulk/${pubsub}/${topic}`,
      headers: json,
      body: `[${batch.map(({ text }) => text).join()}]`,
      deadlineMs: 10_000,
    })
    const answer = (await readJson(response)) as { failedEntries?: { entryId: string }[] } | undefined
    const ids = batch.map(({ id }) => id)
    if (response.statusCode < 300) return ids
    // A failure without a list of entries tells nothing about any of them: all count as not sent.
    if (!answer?.failedEntries) return []
    const failed = new Set(answer.failedEntries.map(({ entryId }) => entryId))
    return ids.filter((id) => !failed.has(id))
  }

  const stateUrl = (store: string, key: string) => `/v1.0/state/${store}/${encodeURIComponent(key)}`

  const state = {
    /** The value and its ETag; undefined when there is none. */
    get: async <T>(store: string, key: string): Promise<{ value: T; etag: string } | undefined> => {
      const { response, body } = await block('state-get', {
        method: 'GET',
        path: `${stateUrl(store, key)}?consistency=strong`,
      })
      if (response.statusCode === 204 || body === undefined) return undefined
      return { value: body as T, etag: String(response.headers.etag) }
    },

    /**
     * Writes when the stored ETag is the given one (`undefined`: when the key does not exist; first write wins), and says
     * whether it did. A write whose answer was lost may be told as not done. A key that was deleted meanwhile may be
     * written again (state.redis does). `ttlSeconds` is counted from now.
     */
    save: async (
      store: string,
      key: string,
      value: unknown,
      { etag, ttlSeconds }: { etag?: string | undefined; ttlSeconds?: number } = {},
    ): Promise<boolean> => {
      const item = {
        key,
        value,
        ...(etag === undefined ? {} : { etag }),
        options: { concurrency: 'first-write', consistency: 'strong' },
        ...(ttlSeconds ? { metadata: { ttlInSeconds: String(ttlSeconds) } } : {}),
      }
      const saved = written(
        request('state-save', {
          method: 'POST',
          path: `/v1.0/state/${store}`,
          headers: json,
          body: JSON.stringify([item]),
        }),
      )
      if (etag !== undefined) return saved
      // Stores refuse a first write in words of their own (state.redis: a plain 500): whether the key exists tells.
      return saved.catch(async (error) => {
        if (await state.get(store, key).catch(() => undefined)) return false
        throw error
      })
    },

    /** Deletes when the ETag still matches, and says whether it did. */
    delete: (store: string, key: string, etag: string): Promise<boolean> =>
      written(
        request('state-delete', {
          method: 'DELETE',
          path: `${stateUrl(store, key)}?concurrency=first-write`,
          headers: { 'if-match': etag },
        }),
      ),
  }

  const written = async (pending: Promise<Dispatcher.ResponseData>): Promise<boolean> => {
    const response = await pending
    const body = (await readJson(response)) as { errorCode?: string; message?: string } | undefined
    if (response.statusCode < 300) return true
    const { statusCode } = response
    if (statusCode === 409 || (statusCode === 400 && /invalid etag/i.test(String(body?.message))))
      return false
    throw new AppError(
      'unavailable',
      'sidecar/state-failed',
      body?.errorCode ?? `status ${response.statusCode}`,
    )
  }

  const lock = {
    /** True when the lock is now this owner's, for `ttlSeconds`. It is no fence: a slow owner may outlive it. */
    acquire: async (store: string, resource: string, owner: string, ttlSeconds: number): Promise<boolean> => {
      const body = JSON.stringify({ resourceId: resource, lockOwner: owner, expiryInSeconds: ttlSeconds })
      const answer = await block('lock', {
        method: 'POST',
        path: `/v1.0-alpha1/lock/${store}`,
        headers: json,
        body,
      })
      return (answer.body as { success?: boolean } | undefined)?.success === true
    },
    release: async (store: string, resource: string, owner: string): Promise<void> => {
      const body = JSON.stringify({ resourceId: resource, lockOwner: owner })
      await block('unlock', { method: 'POST', path: `/v1.0-alpha1/unlock/${store}`, headers: json, body })
    },
  }

  /** One secret of the app's store. Not cached: read it once, at start. */
  const secret = async (name: string, store = 'secretstore'): Promise<string> => {
    const { body } = await block('secret', {
      method: 'GET',
      path: `/v1.0/secrets/${store}/${encodeURIComponent(name)}`,
    })
    const value = (body as Record<string, string> | undefined)?.[name]
    if (value === undefined) throw new AppError('not-found', 'sidecar/secret-not-found', `No secret ${name}`)
    return value
  }

  /** By binding, the end of the last call. */
  const bound = new Map<string, Promise<unknown>>()

  /**
   * One operation of an output binding. Throws `unavailable` where it was not done, or its answer was lost. One after another:
   * bindings.smtp writes each call's fields over those of the one before. So give every field every time, too.
   */
  const bind = (
    binding: string,
    operation: string,
    data: unknown,
    metadata: Readonly<Record<string, string>>,
  ): Promise<void> => {
    const act = async (): Promise<void> => {
      await block(`binding ${binding}`, {
        method: 'POST',
        path: `/v1.0/bindings/${binding}`,
        headers: json,
        body: JSON.stringify({ operation, data, metadata }),
        deadlineMs: 10_000,
      })
    }
    const done = (bound.get(binding) ?? Promise.resolve()).then(act)
    bound.set(
      binding,
      done.catch(() => undefined),
    )
    return done
  }

  /** The current values of configuration items; those that do not exist are left out. */
  const configuration = async (store: string, keys: readonly string[]): Promise<Record<string, string>> => {
    const query = keys.map((key) => `key=${encodeURIComponent(key)}`).join('&')
    const { body } = await block('configuration', {
      method: 'GET',
      path: `/v1.0/configuration/${store}?${query}`,
    })
    const items = (body ?? {}) as Record<string, { value: string }>
    return Object.fromEntries(Object.entries(items).map(([key, item]) => [key, item.value]))
  }

  /** Dapr Workflow, by the HTTP API: with this pool's deadline, token and trace. */
  const workflow = {
    /** Whether it goes on; undefined for one that was never begun, or is purged. */
    goesOn: async (id: string): Promise<boolean | undefined> => {
      const response = await request('workflow-get', { method: 'GET', path: `/v1.0/workflows/dapr/${id}` })
      const body = (await readJson(response)) as { runtimeStatus?: string; errorCode?: string } | undefined
      if (response.statusCode === 404) return undefined
      if (response.statusCode < 300)
        return !/^(?:COMPLETED|FAILED|TERMINATED)$/.test(String(body?.runtimeStatus))
      throw new AppError('unavailable', 'sidecar/workflow-get-failed', String(body?.errorCode))
    },
    start: async (name: string, id: string, input: object): Promise<void> => {
      const path = `/v1.0/workflows/dapr/${name}/start?instanceID=${id}`
      await block('workflow-start', { method: 'POST', path, headers: json, body: JSON.stringify(input) })
    },
    raise: async (id: string, event: string): Promise<void> => {
      const path = `/v1.0/workflows/dapr/${id}/raiseEvent/${event}`
      await block('workflow-raise', { method: 'POST', path, headers: json, body: '{}' })
    },
    /** Deletes what is kept of one that has ended. */
    purge: async (id: string): Promise<void> => {
      await block('workflow-purge', { method: 'POST', path: `/v1.0/workflows/dapr/${id}/purge` })
    },
  }

  /** Resolves once the sidecar's outbound building blocks are ready; throws after `withinMs`. */
  const ready = async (withinMs: number): Promise<void> => {
    const end = Date.now() + withinMs
    for (;;) {
      try {
        const response = await request('health', {
          method: 'GET',
          path: '/v1.0/healthz/outbound',
          deadlineMs: 1000,
        })
        await response.body.dump()
        if (response.statusCode < 300) return
      } catch (error) {
        if (Date.now() > end) throw error
      }
      if (Date.now() > end)
        throw new AppError('unavailable', 'sidecar/not-ready', `Not ready within ${withinMs} ms`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  return {
    invoke,
    call,
    publish,
    state,
    lock,
    secret,
    bind,
    configuration,
    workflow,
    ready,
    close: () => pool.close(),
  }
}

export type Sidecar = ReturnType<typeof createSidecar>
