import { IncomingMessage, type OutgoingHttpHeaders, Server, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { type Dispatcher, Pool } from 'undici'

export interface Replica {
  readonly app: string
  readonly appPort: number
  readonly daprPort: number
  readonly appToken: string
}

export interface Shop {
  readonly replicas: readonly Replica[]
  readonly secrets: Readonly<Record<string, string>>
  readonly pspUrl: string
}

export interface Request {
  readonly method: string
  readonly path: string
  readonly headers: Record<string, string>
  readonly body?: unknown
}

interface Answer {
  readonly statusCode: number
  readonly headers: OutgoingHttpHeaders
  readonly bytes: Buffer
}

/** The servers that listen in this process, by port: what a request is handed to without a connection. */
const servers = new Map<unknown, Server>()
const { listen } = Server.prototype
Server.prototype.listen = function (this: Server, ...where: unknown[]) {
  servers.set(where[0], this)
  return listen.apply(this, where as never)
} as typeof listen

const bytesOf = (body: unknown): Promise<Buffer> | Buffer => {
  if (body === null || body === undefined) return Buffer.alloc(0)
  return body instanceof Readable ? buffer(body) : Buffer.from(body as string)
}

/** Hands a request to the server of a port, as a function call; real request and response objects, no socket. */
const hand = async (port: number, { method, path, headers, body }: Request): Promise<Answer> => {
  const server = servers.get(port)
  if (!server) throw new Error(`nothing listens on ${port}`)
  const bytes = await bytesOf(body)
  const request = new IncomingMessage(new Socket())
  Object.assign(request, { method, url: path, httpVersion: '1.1', complete: true })
  request.headers = { ...headers, 'content-length': String(bytes.length) }
  request.push(bytes)
  request.push(null)
  const response = new ServerResponse(request)
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    const take = (chunk: unknown) => {
      if (typeof chunk === 'string' || Buffer.isBuffer(chunk)) chunks.push(Buffer.from(chunk as string))
    }
    response.write = ((chunk: unknown) => {
      take(chunk)
      return true
    }) as typeof response.write
    response.end = ((chunk: unknown) => {
      take(chunk)
      const { statusCode } = response
      resolve({ statusCode, headers: response.getHeaders(), bytes: Buffer.concat(chunks) })
      return response
    }) as typeof response.end
    server.emit('request', request, response)
  })
}

const json = (statusCode: number, value: unknown, headers = {}): Answer => ({
  statusCode,
  headers: { 'content-type': 'application/json', ...headers },
  bytes: Buffer.from(JSON.stringify(value)),
})
const nothing: Answer = { statusCode: 204, headers: {}, bytes: Buffer.alloc(0) }

/**
 * What a shop's sidecars do together, as function calls in the process of all its apps: invocation, events, state,
 * locks that are always free, secrets, no configuration. Only the card provider is asked over the network, as it is by a sidecar.
 */
export const openInProcessDapr = ({ replicas, secrets, pspUrl }: Shop) => {
  const psp = new Pool(pspUrl, { connections: 64, pipelining: 1 })
  const states = new Map<string, { value: unknown; etag: number }>()
  const subscribers = new Map<string, { replica: Replica; route: string }[]>()
  const replicaOf = (app: string) => replicas.find((replica) => replica.app === app)

  /** An app's DROP would be a dead letter: here it ends the process, and with it the run. */
  const deliver = async (replica: Replica, path: string, events: readonly unknown[]): Promise<void> => {
    const entries = events.map((event, index) => ({ entryId: String(index), event }))
    const { bytes } = await hand(replica.appPort, {
      ...{ method: 'POST', path, body: JSON.stringify({ entries }) },
      headers: { 'content-type': 'application/json', 'dapr-api-token': replica.appToken },
    })
    const { statuses } = JSON.parse(bytes.toString()) as { statuses: { entryId: string; status: string }[] }
    const again = statuses.filter(({ status }) => status !== 'SUCCESS')
    if (again.some(({ status }) => status !== 'RETRY')) throw new Error(`${path} dropped an event`)
    if (again.length === 0) return
    await new Promise((resolve) => setTimeout(resolve, 500))
    await deliver(
      replica,
      path,
      again.map(({ entryId }) => events[Number(entryId)]),
    )
  }

  const publish = (topic: string, events: readonly unknown[]): Answer => {
    for (const { replica, route } of subscribers.get(topic) ?? [])
      for (let from = 0; from < events.length; from += 50)
        void deliver(replica, route, events.slice(from, from + 50)).catch((error) => {
          console.error(error)
          process.exit(1)
        })
    return nothing
  }

  const state = (method: string, store: string, key: string, text: string): Answer => {
    if (method === 'GET') {
      const found = states.get(`${store}/${key}`)
      return found ? json(200, found.value, { etag: String(found.etag) }) : nothing
    }
    if (method !== 'POST') return json(501, { errorCode: 'NOT_HERE' })
    const [item] = JSON.parse(text) as [{ key: string; value: unknown; etag?: string }]
    const found = states.get(`${store}/${item.key}`)
    if (String(found?.etag) !== String(item.etag)) return json(409, { errorCode: 'ERR_STATE_SAVE' })
    states.set(`${store}/${item.key}`, { value: item.value, etag: (found?.etag ?? 0) + 1 })
    return nothing
  }

  const invoke = async (from: Replica, app: string, request: Request): Promise<Answer> => {
    if (app === 'psp') {
      const { 'dapr-api-token': _, ...headers } = request.headers
      const response = await psp.request({
        ...{ method: request.method as Dispatcher.HttpMethod, path: request.path },
        headers: { ...headers, authorization: String(secrets['psp-authorization']) },
        body: request.body as string | null,
      })
      const { statusCode } = response
      return {
        statusCode,
        headers: response.headers as OutgoingHttpHeaders,
        bytes: Buffer.from(await response.body.arrayBuffer()),
      }
    }
    // What the gateway's pipeline would refuse, which the gateway asserts when it starts.
    if (from.app === 'gateway' && !request.headers.authorization)
      return json(401, {}, { 'x-rate-limit-limit': '500.00' })
    const target = replicaOf(app)
    if (!target) return json(500, { errorCode: 'ERR_DIRECT_INVOKE' })
    const headers = {
      ...request.headers,
      'dapr-api-token': target.appToken,
      'dapr-caller-app-id': from.app,
    }
    return hand(target.appPort, { ...request, headers })
  }

  /** One call of an app to its sidecar's HTTP API. */
  const ask = async (daprPort: number, request: Request): Promise<Answer> => {
    const from = replicas.find((replica) => replica.daprPort === daprPort)
    if (!from) throw new Error(`no sidecar has the port ${daprPort}`)
    const [, app, path = '/'] = /^\/v1\.0\/invoke\/([^/]+)\/method(.*)$/.exec(request.path) ?? []
    if (app) return invoke(from, app, { ...request, path })
    const [, , block, first = '', second = '', third = ''] = request.path
      .replace(/\?.*$/, '')
      .split('/')
      .map(decodeURIComponent)
    const text = String(await bytesOf(request.body))
    if (block === 'publish' && first === 'bulk')
      return publish(
        third,
        (JSON.parse(text) as { event: unknown }[]).map(({ event }) => event),
      )
    if (block === 'publish') return publish(second, [JSON.parse(text)])
    if (block === 'state') return state(request.method, first, `${from.app}/${second}`, text)
    if (block === 'lock') return json(200, { success: true })
    if (block === 'secrets') return json(200, { [second]: secrets[second] })
    if (block === 'unlock' || block === 'configuration' || block === 'healthz') return nothing
    return json(501, { errorCode: 'NOT_HERE' })
  }

  /** Asks each app what it subscribes to; call it when all of them listen. */
  const subscribe = async (): Promise<void> => {
    for (const replica of replicas) {
      const headers = { 'dapr-api-token': replica.appToken }
      const { statusCode, bytes } = await hand(replica.appPort, {
        ...{ method: 'GET', path: '/dapr/subscribe', headers },
      })
      if (statusCode !== 200) throw new Error(`${replica.app} does not tell its subscriptions`)
      for (const { topic, route } of JSON.parse(bytes.toString()) as { topic: string; route: string }[])
        subscribers.set(topic, [...(subscribers.get(topic) ?? []), { replica, route }])
    }
  }

  return { ask, subscribe }
}
