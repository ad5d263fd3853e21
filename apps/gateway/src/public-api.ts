import { randomUUID } from 'node:crypto'
import { createBan } from '@caravan/contracts/access'
import { issueToken } from '@caravan/contracts/clients'
import { changePassword, closeAccount, resetPassword } from '@caravan/contracts/identity'
import { type Operation, publicPath } from '@caravan/contracts/operation'
import { endAllSessions, endCurrentSession, endSession } from '@caravan/contracts/sessions'
import type { AccessState } from '@caravan/service-kit/access-state'
import { admit, isPrivileged } from '@caravan/service-kit/admit'
import { anonymous, type Caller } from '@caravan/service-kit/authenticate'
import { maxBodyBytes, readBody } from '@caravan/service-kit/body'
import { addressHeader } from '@caravan/service-kit/client'
import { decodeQuery } from '@caravan/service-kit/decode-text'
import { AppError } from '@caravan/service-kit/errors'
import { canonicalParams } from '@caravan/service-kit/parse-request'
import type Router from '@koa/router'
import type { Context, Middleware } from 'koa'
import type { AnonymousToken } from './anonymous-token.ts'
import { type Answer, reply } from './answer.ts'
import { withBasicCredentials } from './basic-credentials.ts'
import { cachedReads, readThrough } from './cached-reads.ts'
import { type Forward, type Forwarded, unavailable } from './forward.ts'
import type { ReadCache } from './read-cache.ts'
import { assertFits, assertPlainPath, bearerOf, headersOf, invokedUrl } from './request.ts'
import { exchangeSession } from './session-cookie.ts'
import { streamFile } from './stream-file.ts'

export interface PublicApi {
  /** What the world may call. Everything else is 404. */
  readonly operations: readonly Operation[]
  readonly cache: ReadCache
  readonly forward: Forward
  readonly token: Pick<AnonymousToken, 'current' | 'renew'>
  readonly access: AccessState
  /** Resolves when the access state is what it was at identity by now, or after so many milliseconds. */
  readonly caughtUp: (withinMs: number) => Promise<void>
  /** Whose token the request brings; throws for one that is not good. */
  readonly callerOf: (ctx: Context) => Promise<Caller>
  readonly addressOf: (ctx: Context) => string
  /** Counts a request of a kind; throws 429. */
  readonly limit: (kind: 'call' | 'webhook') => Middleware
  /** Whether a page of the shop asks, which may use a browser's session. */
  readonly isOwnPage: (ctx: Context) => boolean
}

/** Milliseconds, where an operation waits for someone outside the shop, or has much to do. */
const deadlines: Readonly<Record<string, number>> = { payOrder: 12_000, getOrderDocument: 9000 }

/**
 * What ends the use of a token: whoever was told so is refused from then on, here at once and elsewhere within some tens of
 * milliseconds.
 */
const ending = new Set<string>(
  [closeAccount, changePassword, resetPassword, endCurrentSession, endSession, endAllSessions, createBan].map(
    ({ id }) => id,
  ),
)
const endingMs = 500

const invalidToken = 'auth/invalid-token'

/** Adds what the world may call: the operations, and beside them the reads that are served from memory. */
export const addPublicApi = (router: Router, api: PublicApi) => {
  const { operations, cache, forward, token, access, caughtUp, callerOf, addressOf, limit, isOwnPage } = api

  const forwardAs = (
    ctx: Context,
    authorization: string,
    app: string,
    request: Forwarded,
  ): Promise<Answer> => {
    const headers = { ...request.headers, authorization, [addressHeader]: addressOf(ctx) }
    assertFits(request.path, headers)
    return forward(app, { ...request, headers })
  }

  const forwardAsNobody = async (ctx: Context, app: string, request: Forwarded): Promise<Answer> => {
    const current = token.current()
    if (!current) throw unavailable('gateway')
    // The client brought no token, so it was ours that is not good: identity has new keys, or a clock is wrong.
    const refused = (cause?: unknown) => {
      token.renew()
      return unavailable('gateway', cause)
    }
    const answer = await forwardAs(ctx, `Bearer ${current}`, app, request).catch((error) => {
      throw error instanceof AppError && error.code === invalidToken ? refused(error) : error
    })
    if (answer.status === 401 && answer.body.includes(`"${invalidToken}"`))
      throw refused(`${app} refused our token`)
    return answer
  }

  /** Asks the app itself, in the caller's name. What the caller may not do costs no hop; the app asks again. */
  const pass = (operation: Operation): Middleware => {
    const { app, id, method, idempotent } = operation
    return async (ctx) => {
      assertPlainPath(ctx.path)
      // Machines that ask for a token have none yet, but credentials of another kind.
      const isBasic = id === issueToken.id && /^basic /i.test(ctx.get('authorization'))
      const authorization = isBasic ? undefined : bearerOf(ctx)
      const params = canonicalParams(operation, ctx.params)
      const query = decodeQuery(ctx.querystring)
      admit(access, operation, isBasic ? anonymous : await callerOf(ctx), { params, query })
      const request = {
        method,
        path: invokedUrl(ctx, operation, params),
        // A client that must send a key is refused without one; for any other the sidecar's repeats are to be known as such.
        headers: {
          ...(method === 'GET' || idempotent ? {} : { 'idempotency-key': randomUUID() }),
          ...headersOf(ctx),
        },
        ...(deadlines[id] ? { deadlineMs: deadlines[id] } : {}),
      }
      const send = (body?: Buffer, path = request.path): Promise<Answer> => {
        const whole = { ...request, path, ...(body ? { body } : {}) }
        return authorization ? forwardAs(ctx, authorization, app, whole) : forwardAsNobody(ctx, app, whole)
      }
      const given = method === 'GET' ? undefined : await readBody(ctx.req, maxBodyBytes)
      const body = given && isBasic ? withBasicCredentials(given, ctx.get('authorization')) : given
      const answer =
        body && app === 'identity'
          ? await exchangeSession(ctx, { id }, body, send, isOwnPage)
          : await send(body)
      if (method !== 'GET' && app === 'catalog' && (answer.status < 300 || answer.status === 412)) {
        // Whoever edits here sees the edit here at once; other replicas hear of it by event. Who was told that a page is another now
        // has to find that one.
        cache.outdate(publicPath(operation, params))
        cache.outdateLists()
      }
      if (ending.has(id) && answer.status < 300) await caughtUp(endingMs)
      if (!operation.file || answer.status !== operation.status) return reply(ctx, answer)
      await streamFile(ctx, operation, answer, (after) => {
        const search = `?${new URLSearchParams({ ...query, after } as Record<string, string>)}`
        return send(undefined, invokedUrl(ctx, operation, params, search))
      })
    }
  }

  for (const each of cachedReads) {
    const load = (ctx: Context, search: string) => {
      assertPlainPath(ctx.path)
      const path = invokedUrl(ctx, each.asked, canonicalParams(each.asked, ctx.params), search)
      return forwardAsNobody(ctx, each.asked.app, { method: 'GET', path, headers: {} })
    }
    const shared = readThrough(cache, each, load)
    const found = operations.find(({ id }) => id === each.asked.id)
    const own = found && pass(found)
    // One that was closed is no longer the same for everyone, nor is what only some may see.
    router.get(each.path, limit('call'), (ctx, next) =>
      own && found && (isPrivileged(found, decodeQuery(ctx.querystring)) || !access.isPublic(found))
        ? own(ctx, next)
        : shared(ctx, next),
    )
  }
  const cached = new Set(cachedReads.map(({ path }) => path))
  for (const operation of operations) {
    const path = operation.path.replace(/\{(\w+)\}/g, ':$1')
    if (operation.method === 'GET' && cached.has(path)) continue
    const limited = limit(operation.raw === true ? 'webhook' : 'call')
    router.register(path, [operation.method], [limited, pass(operation)])
  }
}
