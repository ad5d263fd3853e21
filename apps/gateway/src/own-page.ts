import type { Context } from 'koa'
import { isSecure } from './request.ts'

/**
 * What the client called this door by: the request's host, or what a trusted proxy says it was. The first of a list was
 * the client's own. A proxy may name the port apart from the host, or one that only it knows.
 */
const hostsOf = (ctx: Context, isTrusted: (address: string) => boolean): string[] => {
  const told = (name: string) =>
    isTrusted(ctx.req.socket.remoteAddress ?? '') ? (ctx.get(name).split(',')[0] ?? '').trim() : ''
  const host = told('x-forwarded-host') || ctx.get('host')
  const port = told('x-forwarded-port')
  return port === '' || /:\d+$/.test(host) ? [host] : [host, `${host}:${port}`]
}

/** Whether the page that asks, as the browser names it, has this door's own origin, its port written or left out. */
export const isOwnPage = (ctx: Context, isTrusted: (address: string) => boolean): boolean => {
  const page = URL.parse(ctx.get('origin'))
  if (!page || (page.protocol !== 'https:' && (page.protocol !== 'http:' || isSecure(ctx, isTrusted))))
    return false
  return hostsOf(ctx, isTrusted).some(
    (host) => URL.parse(`${page.protocol}//${host}`)?.origin === page.origin,
  )
}
