import {
  getProduct,
  getSeller,
  listCategories,
  listProducts,
  pictureFile,
  searchProducts,
} from '@caravan/contracts/catalog'
import type { Operation } from '@caravan/contracts/operation'
import { requestSeconds } from '@caravan/service-kit/metrics'
import { etagOf } from '@caravan/service-kit/precondition'
import type { Context, Middleware } from 'koa'
import { type Answer, reply } from './answer.ts'
import type { Group, ReadCache } from './read-cache.ts'

export interface CachedRead {
  /** What the app is asked for. A picture is no operation, and always public. */
  readonly asked: Pick<Operation, 'app' | 'id' | 'path'> & Partial<Pick<Operation, 'access'>>
  /** As the router knows it. */
  readonly path: string
  readonly group: Group
  /** Whether a query means anything; one that does not is no part of the key, or an event would miss the copies. */
  readonly query: boolean
  readonly headers?: Readonly<Record<string, string>>
}

type Asked = CachedRead['asked']
export const isOperation = (asked: Asked): asked is Asked & Pick<Operation, 'access'> =>
  asked.access !== undefined

const read = (
  asked: Asked & Partial<Pick<Operation, 'query'>>,
  group: Group,
  headers: CachedRead['headers'] = {},
): CachedRead => ({
  ...{ asked, group, headers },
  path: asked.path.replace(/\{(\w+)\}/g, ':$1'),
  // All that a page's query could ask for is not for everyone.
  query: group === 'list' && asked.query !== undefined,
})

/** What is the same for everyone. Sellers and categories have no events: an edit of one is seen within a minute. */
export const cachedReads: readonly CachedRead[] = [
  read(getProduct, 'page'),
  read(getSeller, 'page'),
  read(listProducts, 'list'),
  read(searchProducts, 'list'),
  read(listCategories, 'list'),
  read(pictureFile, 'page', {
    'Cache-Control': 'public, max-age=3600',
    // The web shop may have another origin.
    'Cross-Origin-Resource-Policy': 'cross-origin',
    'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; sandbox",
  }),
]

/** The path with its query in one order and one spelling. The app is asked with this query, too. */
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

/**
 * Answers a read that was not in the cache. `load` asks the app, with the key's query, in the name of nobody, so that all may share the
 * answer.
 */
export const readThrough =
  (
    cache: ReadCache,
    { group, query, headers }: CachedRead,
    load: (ctx: Context, search: string) => Promise<Answer>,
  ): Middleware =>
  async (ctx) => {
    const key = query ? cacheKey(ctx.path + ctx.search) : ctx.path
    const ask = async () => presented(await load(ctx, key.slice(ctx.path.length)), headers)
    reply(ctx, await cache.read(key, group, ask))
  }
