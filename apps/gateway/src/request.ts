import { invokedPath, type Operation, parametersOf } from '@caravan/contracts/operation'
import { AppError } from '@caravan/service-kit/errors'
import type { Context, Middleware } from 'koa'
import { clientAddress } from './client-address.ts'

const passedOn = [
  'content-type',
  'accept',
  'accept-language',
  'idempotency-key',
  'if-none-match',
  'psp-signature',
  'user-agent',
] as const

/**
 * Throws 404 unless the path consists of plain segments. The sidecar decodes and resolves a path before it sends it on:
 * `..%2f` would turn a public path into one of the apps' own.
 */
export const assertPlainPath = (path: string): void => {
  // A colon may be written in either way (RFC 3986, 3.3).
  if (/^(\/(?:[\w~@:+-]|%3A)(?:[\w.~@:+-]|%3A)*|\/\.well-known)+$/i.test(path)) return
  throw new AppError('not-found', 'request/no-such-route', 'No such route')
}

/**
 * What an app is asked for a request: the operation's path and, in the query, the parameters of the public path before `search`, which
 * is left as it came. Throws 422 when the client's query has one of their names.
 */
export const invokedUrl = (
  ctx: Context,
  operation: Pick<Operation, 'app' | 'id' | 'path'>,
  search = ctx.search,
): string => {
  const names = parametersOf(operation)
  const taken = names.filter((name) => name in ctx.query)
  if (taken.length > 0)
    throw new AppError(
      'invalid',
      `${operation.app}/invalid-request`,
      'The request does not match its schema',
      {
        errors: taken.map((name) => ({ pointer: `query/${name}`, detail: 'unknown field' })),
      },
    )
  const params = new URLSearchParams(names.map((name): [string, string] => [name, ctx.params[name]]))
  const query = [String(params), search.slice(1)].filter((part) => part !== '').join('&')
  return query === '' ? invokedPath(operation) : `${invokedPath(operation)}?${query}`
}

/** The `Authorization` header, if there is one. Throws 401 for another scheme than Bearer. */
export const bearerOf = (ctx: Context): string | undefined => {
  const { authorization } = ctx.req.headers
  if (authorization === undefined || /^Bearer [\w-]+\.[\w-]+\.[\w-]+$/.test(authorization))
    return authorization
  throw new AppError('unauthenticated', 'auth/invalid-token', 'Send a Bearer token')
}

export const addressOf = (ctx: Context, isTrusted: (address: string) => boolean): string =>
  clientAddress(isTrusted, ctx.req.socket.remoteAddress ?? '', ctx.get('x-forwarded-for') || undefined)

/** Whether the client's own connection is encrypted: to us, or to a proxy of ours. */
export const isSecure = (ctx: Context, isTrusted: (address: string) => boolean): boolean =>
  'encrypted' in ctx.req.socket ||
  (/^\s*https\s*(?:,|$)/i.test(ctx.get('x-forwarded-proto')) && isTrusted(ctx.req.socket.remoteAddress ?? ''))

/** An allow list: nothing else that a client sends reaches an app, no `dapr-*` header least of all. */
export const headersOf = (ctx: Context): Record<string, string> =>
  Object.fromEntries(
    passedOn.flatMap((name) => (ctx.req.headers[name] === undefined ? [] : [[name, ctx.get(name)]])),
  )

const maxHeaders = 100

/** Less than Node takes, so that an app, which gets more headers than we do, takes it too. */
const maxUrl = 8000

/** Throws 414 and 431. */
export const refuseOversizedHead: Middleware = (ctx, next) => {
  if (ctx.req.url && ctx.req.url.length > maxUrl)
    throw new AppError('invalid', 'request/uri-too-long', `Path and query have at most ${maxUrl} bytes`, {
      status: 414,
    })
  if (ctx.req.rawHeaders.length / 2 <= maxHeaders) return next()
  throw new AppError('invalid', 'request/too-many-headers', `A request has at most ${maxHeaders} headers`, {
    status: 431,
  })
}
