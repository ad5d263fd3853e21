import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type Router from '@koa/router'
import { anonymous } from '../authenticate.ts'
import { createLog } from '../log.ts'
import type { Route, RouteContext } from '../route.ts'
import { createServer } from '../server.ts'
import { contractAccess } from './contract-access.ts'

const appToken = 'a-token-of-the-app'

export interface AppOptions extends Partial<RouteContext> {
  readonly callbacks?: (router: Router) => void
}

const isRaw = (body: unknown): body is string | Uint8Array<ArrayBuffer> =>
  typeof body === 'string' || body instanceof Uint8Array

/** The real Koa app with the given routes on a free port; `request` calls it as its sidecar would. */
export const startApp = async (routes: readonly Route[], { callbacks, ...context }: AppOptions = {}) => {
  const app = createServer({
    name: 'things',
    version: '0',
    log: createLog('things', 'silent'),
    authenticate: async () => anonymous,
    access: contractAccess,
    idempotency: undefined,
    ...context,
    appToken,
    routes,
    healthy: () => true,
    ready: async () => true,
    ...(callbacks ? { callbacks } : {}),
  })
  const server = createHttpServer(app.callback()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  /** A body that is neither text nor bytes goes as JSON. */
  const request = async (
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; headers: Headers; body: Record<string, unknown>; text: string }> => {
    const response = await fetch(url + path, {
      method,
      headers: {
        'dapr-api-token': appToken,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: isRaw(body) ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    const parsed = /json/.test(response.headers.get('content-type') ?? '') ? JSON.parse(text) : {}
    return { status: response.status, headers: response.headers, body: parsed, text }
  }
  const stop = async (): Promise<void> => {
    server.closeAllConnections()
    await new Promise((closed) => server.close(closed))
  }
  return { url, request, stop }
}
