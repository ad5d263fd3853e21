import {
  getProduct,
  getSeller,
  listCategories,
  listProducts,
  searchProducts,
} from '@caravan/contracts/catalog'
import type { Operation } from '@caravan/contracts/operation'
import { requestSeconds } from '@caravan/service-kit/metrics'
import type { Context, Middleware } from 'koa'
import { type Answer, etagOf, reply } from './answer.ts'
import type { Group, ReadCache } from './read-cache.ts'

export interface CachedRead {
  readonly app: string
  /** The operation that this is; a picture is none, and always public. */
  readonly operation?: Pick<Operation, 'id' | 'access'>
  /** As the router knows it. */
  readonly path: string
  readonly group: Group
  /** Whether a query means anything; one that does not is no part of the key, or an event would miss the copies. */
  readonly query: boolean
  readonly headers?: Readonly<Record<string, string>>
}

const read = (op: Pick<Operation, 'id' | 'access' | 'app' | 'path' | 'query'>, group: Group): CachedRead => ({
  app: op.app,
  operation: op,
  path: op.path.replace(/\{(\w+)\}/g, ':$1'),
  group,
  query: op.query !== undefined,
})

/** What is the same for everyone. Sellers and categories have no events: an edit of one is seen within a minute. */
export const cachedReads: readonly CachedRead[] = [
  read(getProduct, 'page'),
  read(getSeller, 'page'),
  read(listProducts, 'list'),
  read(searchProducts, 'list'),
  read(listCategories, 'list'),
  {
    ...{ app: 'catalog', path: '/pictures/:file', group: 'page', query: false },
    headers: {
      'Cache-Control': 'public, max-age=3600',
      // The web shop may have another origin.
      'Cross-Origin-Resource-Policy': 'cross-origin',
      'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    },
  },
]

/** The path with its query in one order and one spelling. It is what the app is asked for, too. */
export const cacheKey = (url: string): string => {
  const mark = url.indexOf('?')
  if (mark < 0) return url
  const query = new URLSearchParams(url.slice(mark + 1))
  query.sort()
  return query.size > 0 ? `${url.slice(0, mark)}?${query}` : url.slice(0, mark)
}

const isRead = (ctx: Context): boolean => ctx.method === 'GET' || ctx.method === 'HEAD'

/**
 * Answers what the cache has, before routing, to those whom `admits` lets. It is the hot path: no trace, and no line in the log
 * for each hit; the metrics count them, as route `cached`.
 */
export const serveCached =
  (cache: ReadCache, admits: (ctx: Context) => boolean): Middleware =>
  (ctx, next) => {
    const answer = isRead(ctx) ? cache.fresh(cacheKey(ctx.path + ctx.search)) : undefined
    if (!answer || !admits(ctx)) return next()
    const start = performance.now()
    reply(ctx, answer)
    requestSeconds.observe({ route: 'cached', status: ctx.status }, (performance.now() - start) / 1000)
  }

const presented = ({ status, headers, body }: Answer, own: CachedRead['headers']): Answer => ({
  status,
  headers: {
    'Content-Type': headers['Content-Type'] ?? 'application/octet-stream',
    'Cache-Control': 'public, max-age=0, must-revalidate',
    ...(status === 200 ? { ETag: etagOf(body), ...own } : {}),
  },
  body,
})

/** Answers a read that was not in the cache. `load` asks the app, in the name of nobody, so that all may share the answer. */
export const readThrough =
  (
    cache: ReadCache,
    { group, query, headers }: CachedRead,
    load: (ctx: Context, key: string) => Promise<Answer>,
  ): Middleware =>
  async (ctx) => {
    const key = query ? cacheKey(ctx.path + ctx.search) : ctx.path
    const ask = async () => presented(await load(ctx, key), headers)
    reply(ctx, await cache.read(key, group, ask))
  }
