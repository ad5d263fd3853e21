import { invokedPath, type Operation, parametersOf } from '@caravan/contracts/operation'
import { decodeQuery } from '@caravan/service-kit/decode-text'
import { AppError } from '@caravan/service-kit/errors'
import type { Context, Middleware } from 'koa'
import { clientAddress } from './client-address.ts'

/**
 * What is passed on, and what becomes of a value with other bytes than ASCII, which a sidecar fails with (its gRPC takes UTF-8
 * only): what decides nothing is mended, a tag that is none of ours matches nothing, the rest is refused.
 */
const passedOn = {
  'content-type': 'refused',
  accept: 'mended',
  'accept-language': 'mended',
  'idempotency-key': 'refused',
  'if-match': 'refused',
  'if-none-match': 'dropped',
  'psp-signature': 'refused',
  'user-agent': 'mended',
  'webhook-id': 'refused',
  'webhook-signature': 'refused',
  'webhook-timestamp': 'refused',
} as const

const foreign = /[^\t\x20-\x7e]/g

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
 * is left as it came. Throws 400 for a query that is not UTF-8, 422 when the client's query has one of their names.
 */
export const invokedUrl = (
  ctx: Context,
  operation: Pick<Operation, 'app' | 'id' | 'path'>,
  params: Readonly<Record<string, string>>,
  search = ctx.search,
): string => {
  const names = parametersOf(operation)
  const given = decodeQuery(ctx.querystring)
  const taken = names.filter((name) => name in given)
  if (taken.length > 0)
    throw new AppError(
      'invalid',
      `${operation.app}/invalid-request`,
      'The request does not match its schema',
      {
        errors: taken.map((name) => ({ pointer: `query/${name}`, detail: 'unknown field' })),
      },
    )
  const named = new URLSearchParams(names.map((name): [string, string] => [name, params[name] ?? '']))
  const query = [String(named), search.slice(1)].filter((part) => part !== '').join('&')
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

/** An allow list: nothing else that a client sends reaches an app, no `dapr-*` header least of all. Throws 400. */
export const headersOf = (ctx: Context): Record<string, string> => {
  const headers: Record<string, string> = {}
  for (const [name, fate] of Object.entries(passedOn)) {
    if (ctx.req.headers[name] === undefined) continue
    const value = ctx.get(name)
    const mended = value.replace(foreign, '?')
    if (mended !== value && fate === 'refused')
      throw new AppError('invalid', 'request/malformed-header', `${name} has other bytes than ASCII`, {
        status: 400,
      })
    if (mended === value || fate === 'mended') headers[name] = mended
  }
  return headers
}

const maxHeaders = 100

/** Leaves room for a token and other headers. */
const maxUrl = 6000

/** A sidecar takes 8192 bytes of path and headers, its own token and what HTTP adds among them; on a used connection more. */
const maxHead = 7700

/** Throws 414 and 431 for what a sidecar would not take. */
export const assertFits = (path: string, headers: Readonly<Record<string, string>>): void => {
  if (path.length > maxUrl)
    throw new AppError('invalid', 'request/uri-too-long', `Path and query have at most ${maxUrl} bytes`, {
      status: 414,
    })
  let bytes = path.length
  for (const [name, value] of Object.entries(headers)) bytes += `${name}: ${value}\r\n`.length
  if (bytes > maxHead)
    throw new AppError('invalid', 'request/headers-too-large', `A head has at most ${maxHead} bytes`, {
      status: 431,
    })
}

/** Throws 414 and 431. */
export const refuseOversizedHead: Middleware = (ctx, next) => {
  assertFits(ctx.req.url ?? '', {})
  if (ctx.req.rawHeaders.length / 2 <= maxHeaders) return next()
  throw new AppError('invalid', 'request/too-many-headers', `A request has at most ${maxHeaders} headers`, {
    status: 431,
  })
}
