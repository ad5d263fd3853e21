import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { CloudEvent } from '../sidecar.ts'

export interface Published {
  readonly pubsub: string
  readonly topic: string
  readonly event: CloudEvent
}

/** `refuse`: a 500. `limit`: as the middleware `ratelimit` refuses. `hang`: no answer. `stall`: half an answer. `forget`: done, but the answer is lost. */
export type Failure = 'refuse' | 'limit' | 'hang' | 'stall' | 'forget'
export type Block = 'state' | 'publish' | 'lock' | 'secrets' | 'configuration' | 'invoke' | 'healthz'

export interface FakeSidecarOptions {
  /** The app beside this sidecar. */
  readonly app?: string
  readonly token?: string
  readonly secrets?: Readonly<Record<string, string>>
  readonly items?: Readonly<Record<string, string>>
}

/** What daprd takes unless told otherwise. */
const maxBodyBytes = 4 * 1024 * 1024

interface Stored {
  value: unknown
  version: number
  firstWrite: boolean
  expiresAt: number
}

interface Answer {
  readonly status: number
  readonly body?: unknown
  readonly headers?: Record<string, string>
}

const error = (status: number, errorCode: string, message = errorCode): Answer => ({
  status,
  body: { errorCode, message },
})
const ok = (body?: unknown): Answer => ({ status: body === undefined ? 204 : 200, body })

const textOf = async (request: IncomingMessage): Promise<string> => {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) text += chunk
  return text
}

const send = (response: ServerResponse, { status, body, headers = {} }: Answer): void => {
  const type = body === undefined ? {} : { 'content-type': 'application/json' }
  response.writeHead(status, { ...type, ...headers }).end(body === undefined ? '' : JSON.stringify(body))
}

/** State as state.redis keeps it; see the conformance suite. */
const createState = () => {
  const entries = new Map<string, Stored>()
  const find = (key: string) => {
    const entry = entries.get(key)
    if (entry && entry.expiresAt <= Date.now()) entries.delete(key)
    return entries.get(key)
  }
  interface Item {
    key: string
    value: unknown
    etag?: string
    options?: { concurrency?: string }
    metadata?: { ttlInSeconds?: string }
  }
  return {
    entries,
    get: (key: string): Answer => {
      const entry = find(key)
      return entry ? { status: 200, body: entry.value, headers: { etag: String(entry.version) } } : ok()
    },
    save: (store: string, { key, value, etag, options, metadata }: Item): Answer => {
      if (etag !== undefined && !/^-?\d+$/.test(etag))
        return error(400, 'ERR_STATE_SAVE', 'invalid etag value')
      const entry = find(`${store}/${key}`)
      if (entry && etag !== String(entry.version) && (entry.firstWrite || etag !== undefined))
        return error(etag === undefined ? 500 : 409, 'ERR_STATE_SAVE', `failed to set key ${key}`)
      const ttl = Number(metadata?.ttlInSeconds ?? 0)
      entries.set(`${store}/${key}`, {
        value,
        version: (entry?.version ?? 0) + 1,
        firstWrite: entry?.firstWrite || options?.concurrency === 'first-write',
        expiresAt: ttl > 0 ? Date.now() + ttl * 1000 : (entry?.expiresAt ?? Number.POSITIVE_INFINITY),
      })
      return ok()
    },
    delete: (key: string, etag: string | undefined): Answer => {
      const entry = find(key)
      if (entry && etag !== undefined && etag !== String(entry.version)) return error(409, 'ERR_STATE_DELETE')
      entries.delete(key)
      return ok()
    },
  }
}

/** The part of Dapr's HTTP API that `createSidecar` speaks, in memory, on a free port. */
export const startFakeSidecar = async (options: FakeSidecarOptions = {}) => {
  const { app = 'self', token = 'a-token-of-the-sidecar' } = options
  const state = createState()
  const locks = new Map<string, { owner: string; until: number }>()
  const apps = new Map<string, RequestListener>()
  const failures = new Map<Block, Failure>()
  const published: Published[] = []
  let takes = (_: CloudEvent): boolean => true

  const publish = (pubsub = '', topic = '', event: CloudEvent): boolean => {
    if (!takes(event)) return false
    published.push({ pubsub, topic, event })
    return true
  }

  const publishBulk = (pubsub: string, topic: string, entries: { entryId: string; event: CloudEvent }[]) => {
    const failed = entries.filter(({ event }) => !publish(pubsub, topic, event))
    if (failed.length === 0) return ok()
    const failedEntries = failed.map(({ entryId }) => ({ entryId, error: 'refused' }))
    return { status: 500, body: { errorCode: 'ERR_PUBSUB_PUBLISH_MESSAGE', failedEntries } }
  }

  const lock = (name: string, { lockOwner = '', expiryInSeconds = 0 }): Answer => {
    const held = locks.get(name)
    if (held && held.until > Date.now()) return ok({ success: false })
    locks.set(name, { owner: lockOwner, until: Date.now() + expiryInSeconds * 1000 })
    return ok({ success: true })
  }

  const unlock = (name: string, { lockOwner = '' }): Answer => {
    const held = locks.get(name)
    if (!held || held.until <= Date.now()) return ok({ status: 1 })
    if (held.owner !== lockOwner) return ok({ status: 2 })
    locks.delete(name)
    return ok({ status: 0 })
  }

  const answer = (
    method: string,
    [, block, ...path]: string[],
    query: URLSearchParams,
    text: string,
    etag?: string,
  ) => {
    const body = text === '' ? undefined : JSON.parse(text)
    const [store = '', name = ''] = path
    if (block === 'healthz') return ok()
    if (block === 'state' && method === 'GET') return state.get(`${store}/${name}`)
    if (block === 'state' && method === 'DELETE') return state.delete(`${store}/${name}`, etag)
    if (block === 'state') return state.save(store, body[0])
    if (block === 'publish' && store === 'bulk') return publishBulk(name, path[2] ?? '', body)
    if (block === 'publish')
      return publish(store, name, body) ? ok() : error(500, 'ERR_PUBSUB_PUBLISH_MESSAGE')
    if (block === 'lock') return lock(`${store}/${body.resourceId}`, body)
    if (block === 'unlock') return unlock(`${store}/${body.resourceId}`, body)
    if (block === 'secrets') {
      const value = options.secrets?.[name]
      return value === undefined
        ? error(500, 'ERR_SECRET_GET', `secret ${name} not found`)
        : ok({ [name]: value })
    }
    if (block === 'configuration') {
      const found = query.getAll('key').flatMap((key) => {
        const value = options.items?.[key]
        return value === undefined ? [] : [[key, { value, version: '1' }]]
      })
      return ok(found.length > 0 ? Object.fromEntries(found) : undefined)
    }
    return error(404, 'ERR_DIRECT_INVOKE')
  }

  const invoke = (request: IncomingMessage, response: ServerResponse, path: string) => {
    const [, target = '', rest = '/'] = /^\/v1\.0\/invoke\/([^/]+)\/method(.*)$/.exec(path) ?? []
    const listener = apps.get(target)
    if (!listener) return send(response, error(500, 'ERR_DIRECT_INVOKE', 'no host found with the given ID'))
    request.url = rest
    delete request.headers['dapr-api-token']
    if (target !== app) request.headers['dapr-caller-app-id'] = app
    listener(request, response)
  }

  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://sidecar')
    const path = url.pathname.split('/').slice(1).map(decodeURIComponent)
    const failure = failures.get((path[1] === 'unlock' ? 'lock' : path[1]) as Block)
    if (request.headers['dapr-api-token'] !== token && path[1] !== 'healthz')
      return response.writeHead(401, { 'content-type': 'text/plain' }).end('invalid api token')
    if (failure === 'hang') return
    if (failure === 'refuse') return send(response, error(500, 'ERR_TOLD_TO_FAIL'))
    if (failure === 'limit')
      return response
        .writeHead(429, { 'content-type': 'text/plain; charset=utf-8' })
        .end('You have reached maximum request limit.')
    if (failure === 'stall') return response.writeHead(200, { 'content-length': '100' }).write('{')
    if (path[1] === 'invoke') return invoke(request, response, request.url ?? '')
    const etag = request.headers['if-match']
    const text = await textOf(request)
    if (Buffer.byteLength(text) > maxBodyBytes)
      return response.writeHead(413, { 'content-type': 'text/plain' }).end('request body too large')
    const result = answer(request.method ?? '', path, url.searchParams, text, etag)
    if (failure === 'forget') response.destroy()
    else send(response, result)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')

  return {
    port: (server.address() as AddressInfo).port,
    token,
    /** Every event that was accepted, in the order of acceptance. */
    published: published as readonly Published[],
    publishedTo: (topic: string): CloudEvent[] =>
      published.filter((each) => each.topic === topic).map((each) => each.event),
    /** What the state store holds now, by `<store>/<key>`. */
    stored: (key: string): unknown => state.entries.get(key)?.value,
    /** Serves what is invoked on another app; a Koa app's `callback()` will do. */
    serve: (target: string, listener: RequestListener): void => void apps.set(target, listener),
    /** From now on one building block fails, until `heal`. */
    fail: (block: Block, failure: Failure = 'refuse'): void => void failures.set(block, failure),
    heal: (): void => {
      failures.clear()
      takes = () => true
    },
    /** The broker accepts only the events for which `take` is true. */
    accept: (take: (event: CloudEvent) => boolean): void => {
      takes = take
    },
    stop: async (): Promise<void> => {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    },
  }
}

export type FakeSidecar = Awaited<ReturnType<typeof startFakeSidecar>>
