import { randomHex } from '@caravan/service-kit/ids'
import { currentTrace } from '@caravan/service-kit/trace'
import type { Middleware } from 'koa'

/** 32 hexadecimal digits, not all zero, or the same as a UUID; lower case, as in a trace id. */
const pattern =
  /^(?!0{8}-?0{4}-?0{4}-?0{4}-?0{12}$)[0-9a-f]{8}(-?)[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{12}$/

/**
 * A request's id is its trace id: one word finds it in every log and in the problem that the client saw. A client that brings
 * a `traceparent` has named it; else its `X-Request-Id` does, if that is a UUID or 32 hexadecimal digits. Anything else counts for nothing.
 */
export const acceptRequestId: Middleware = (ctx, next) => {
  const { headers } = ctx.req
  const id = ctx.get('x-request-id')
  if (headers.traceparent === undefined && pattern.test(id))
    headers.traceparent = `00-${id.replaceAll('-', '')}-${randomHex(8)}-01`
  return next()
}

/** Inside of a trace: tells the client its id. */
export const tellRequestId: Middleware = (ctx, next) => {
  ctx.set('X-Request-Id', currentTrace()?.traceId ?? '')
  return next()
}
