import { isListed } from '@caravan/service-kit/precondition'
import type { Context } from 'koa'

/** An HTTP answer that is whole: nothing of it depends on who asked. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** Sends an answer, or 304 when the client has it. */
export const reply = (ctx: Context, { status, headers, body }: Answer): void => {
  ctx.set(headers)
  ctx.body = body.length > 0 ? body : null
  // Koa's own check gives way to a request's `no-cache`, which fetch() adds to If-None-Match.
  const isRead = ctx.method === 'GET' || ctx.method === 'HEAD'
  const isKnown = isRead && status === 200 && headers.ETag && isListed(ctx.get('if-none-match'), headers.ETag)
  ctx.status = isKnown ? 304 : status
}
