import { createHash } from 'node:crypto'
import type { Context } from 'koa'

/** An HTTP answer that is whole: nothing of it depends on who asked. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** A strong ETag (RFC 9110, 8.8.3): the hash of the bytes. */
export const etagOf = (bytes: Buffer): string => `"${createHash('sha256').update(bytes).digest('base64url')}"`

/** RFC 9110, 13.1.2: a weak comparison with each tag of the list. */
const matches = (ifNoneMatch: string, etag: string): boolean =>
  etag !== '' &&
  (ifNoneMatch === '*' || ifNoneMatch.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag))

/** Sends an answer, or 304 when the client has it. */
export const reply = (ctx: Context, { status, headers, body }: Answer): void => {
  ctx.set(headers)
  ctx.body = body.length > 0 ? body : null
  // Koa's own check gives way to a request's `no-cache`, which fetch() adds to If-None-Match.
  ctx.status = status === 200 && matches(ctx.get('if-none-match'), headers.ETag ?? '') ? 304 : status
}
