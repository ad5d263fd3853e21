import { type Authenticate, anonymous } from '@caravan/service-kit/authenticate'

export interface Request {
  readonly operation: string
  readonly params?: Record<string, unknown> | undefined
  readonly query?: Record<string, unknown> | undefined
  readonly headers: Record<string, string>
  /** As JSON. */
  readonly body: string
}

export interface Answer {
  readonly status: number
  readonly problem: boolean
  readonly body: unknown
}

const bytes = (text: string): Buffer => Buffer.from(text)

/** Of an HTTP request, what the kit reads of it. */
const requestOf = (body: string) => {
  const listeners: Record<string, (chunk?: Buffer) => void> = {}
  return {
    headers: {},
    on: (event: string, listener: (chunk?: Buffer) => void) => {
      listeners[event] = listener
      if (event === 'error') {
        queueMicrotask(() => {
          if (body !== '') listeners.data?.(bytes(body))
          listeners.end?.()
        })
      }
    },
    removeListener: () => {},
  }
}

/** Of Koa's context, what the kit uses of it. */
export const contextOf = ({ operation, params = {}, query = {}, headers, body }: Request) => ({
  querystring: String(new URLSearchParams({ ...params, ...query } as Record<string, string>)),
  ...{ headers, state: {}, path: operation },
  ...{ req: requestOf(body), res: { once: () => {} }, set: () => {} },
  get: (name: string) => headers[name.toLowerCase()] ?? '',
  ...{ status: 404, body: undefined as unknown, type: '' },
})

/** `Bearer member <id>` and `Bearer operator <id>` stand for tokens of these. */
export const authenticate: Authenticate = async (authorization) => {
  if (!authorization) return anonymous
  const [, role, id] = authorization.split(' ')
  return { kind: 'member', id: String(id), roles: [String(role)], authorization }
}
