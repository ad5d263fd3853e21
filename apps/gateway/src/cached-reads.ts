import {
  getProduct,
  getSeller,
  listCategories,
  listProducts,
  pictureFile,
  searchProducts,
} from '@caravan/contracts/catalog'
import { type Operation, publicPath } from '@caravan/contracts/operation'
import { decodeQuery } from '@caravan/service-kit/decode-text'
import { requestSeconds } from '@caravan/service-kit/metrics'
import { canonicalParams } from '@caravan/service-kit/parse-request'
import { etagOf } from '@caravan/service-kit/precondition'
import type { Context, Middleware } from 'koa'
import { type Answer, reply } from './answer.ts'
import type { Group, ReadCache } from './read-cache.ts'

export interface CachedRead {
  /** What the app is asked for. A picture is no operation, and always public. */
  readonly asked: Pick<Operation, 'app' | 'id' | 'path'> &
    Partial<Pick<Operation, 'access' | 'params' | 'query'>>
  /** As the router knows it. */
  readonly path: string
  readonly group: Group
  readonly headers?: Readonly<Record<string, string>>
}

type Asked = CachedRead['asked']
export const isOperation = (asked: Asked): asked is Asked & Pick<Operation, 'access'> =>
  asked.access !== undefined

const read = (asked: Asked, group: Group, headers: CachedRead['headers'] = {}): CachedRead => ({
  ...{ asked, group, headers },
  path: asked.path.replace(/\{(\w+)\}/g, ':$1'),
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

const spell = (parameters: Readonly<Record<string, unknown>>): string => {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters))
    for (const each of [value].flat()) query.append(name, String(each))
  query.sort()
  return query.size > 0 ? `?${query}` : ''
}

/** The path with its query in one order and one spelling of escapes; undefined where the query is not UTF-8. */
const spelled = (url: string): string | undefined => {
  const mark = url.indexOf('?')
  if (mark < 0) return url
  try {
    return url.slice(0, mark) + spell(decodeQuery(url.slice(mark + 1)))
  } catch {
    return undefined
  }
}

/**
 * The query of a read in its one spelling, made of what its operation understands: the app is asked with it, too. One that means
 * nothing is left out, or an event would miss the copies; one that is not valid is as it came, and its answer is not kept.
 */
const searchOf = ({ asked: { query }, group }: CachedRead, ctx: Context): string => {
  // All that a page's query could ask for is not for everyone.
  if (!query || group === 'page') return ''
  const given = decodeQuery(ctx.querystring)
  const understood = query.safeParse(given).data as Record<string, unknown> | undefined
  return spell(
    understood ? Object.fromEntries(Object.keys(given).map((name) => [name, understood[name]])) : given,
  )
}

const isRead = (ctx: Context): boolean => ctx.method === 'GET' || ctx.method === 'HEAD'

/**
 * Answers what the cache has, before routing, to those whom `admits` lets. It is the hot path: no trace, and no line in the log
 * for each hit; the metrics count them, as route `cached`.
 */
export const serveCached =
  (cache: ReadCache, admits: (ctx: Context) => boolean): Middleware =>
  (ctx, next) => {
    const key = isRead(ctx) ? spelled(ctx.path + ctx.search) : undefined
    const answer = key === undefined ? undefined : cache.fresh(key)
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
    cached: CachedRead,
    load: (ctx: Context, search: string) => Promise<Answer>,
  ): Middleware =>
  async (ctx) => {
    const { asked, group, headers } = cached
    const search = searchOf(cached, ctx)
    const key = publicPath(asked, canonicalParams(asked, ctx.params)) + search
    const ask = async () => presented(await load(ctx, search), headers)
    reply(ctx, await cache.read(key, group, ask))
  }
