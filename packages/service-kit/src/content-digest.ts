import { hash } from 'node:crypto'
import { Stream } from 'node:stream'
import type { Middleware } from 'koa'

/** The value of `Content-Digest` (RFC 9530) for these bytes. */
export const contentDigest = (content: Buffer | string): string =>
  `sha-256=:${hash('sha256', content, 'base64')}:`

/**
 * Whether these bytes are all that was sent: a `Content-Digest` has their SHA-256. Nothing else tells; a sidecar makes a whole
 * 200 of an answer that broke off, and drops its length. Digests by other algorithms beside it count for nothing.
 */
export const isWhole = (content: Buffer, told: string | readonly string[] | undefined): boolean => {
  const digest = contentDigest(content)
  return String(told)
    .split(',')
    .some((member) => member.trim() === digest)
}

/** Tells with every answer what its content is to be. Outermost, since it makes the bytes; a stream goes without. */
export const tellDigest: Middleware = async (ctx, next) => {
  await next()
  const { body } = ctx
  if (body === null || body === undefined || body instanceof Stream) return
  const content = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body)
  ctx.body = content
  ctx.set('Content-Digest', contentDigest(content))
}
