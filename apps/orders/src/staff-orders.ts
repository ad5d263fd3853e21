import { inquireAccount } from '@caravan/contracts/identity'
import type { ListedOrder, listStaffOrders } from '@caravan/contracts/staff-orders'
import { decodeCursor, toPage } from '@caravan/service-kit/cursor'
import { AppError } from '@caravan/service-kit/errors'
import type { Sharded } from '@caravan/service-kit/shards'
import type { Sidecar } from '@caravan/service-kit/sidecar'
import { z } from 'zod'
import type { OrderSearchStore, Position, Search } from './order-search-store.ts'

type Query = Omit<z.output<NonNullable<typeof listStaffOrders.query>>, 'limit'>
type By = NonNullable<Search['by']>

const cursor = z.tuple([z.int().min(0).max(8.64e15), z.uuid()])
const newestFirst = (a: Position, b: Position): number =>
  b.placedAt.getTime() - a.placedAt.getTime() || (a.id < b.id ? 1 : -1)

/** Lists of everyone's orders: each database finds as many as a page has, and the newest of them are the page. */
export const createStaffOrders = (stores: Sharded<OrderSearchStore>, sidecar: Pick<Sidecar, 'call'>) => {
  /** Identity is asked whose an address is: orders keeps nobody's, nor a digest that would have to follow each change of one. */
  const accountOf = async (email: string): Promise<string | undefined> => {
    const answer = await sidecar.call(inquireAccount, { body: { email } })
    return answer.outcome === 'found' ? answer.accountId : undefined
  }

  /** Throws 422 for more than one filter, and for times beside a number. `nobody`: nothing can be found. */
  const searchOf = async (query: Query): Promise<Search | 'nobody'> => {
    const { number, email, accountId, sku, sellerId, code, status, currency, from, until } = query
    const filters = { number, account: accountId, sku, seller: sellerId, code, status, currency }
    const given = Object.entries(filters).flatMap(([kind, value]) =>
      value === undefined ? [] : [{ kind, value } as By],
    )
    if (given.length + (email ? 1 : 0) > 1 || (number && (from || until)))
      throw new AppError('invalid', 'orders/one-filter', 'One filter at a time; none beside a number')
    const account = email && (await accountOf(email))
    if (email && !account) return 'nobody'
    const by: By | undefined = account ? { kind: 'account', value: account } : given[0]
    return { by, from: from ? new Date(from) : undefined, until: until ? new Date(until) : undefined }
  }

  const positionOf = (after: string): Position => {
    const [at, id] = decodeCursor('orders', cursor, after)
    return { placedAt: new Date(at), id }
  }

  return async ({ after, ...query }: Query, limit: number) => {
    const position = after === undefined ? undefined : positionOf(after)
    const search = await searchOf(query)
    const found =
      search === 'nobody'
        ? []
        : (await Promise.all(stores.map((store) => store.find(search, limit + 1, position)))).flat()
    const ids = found
      .sort(newestFirst)
      .slice(0, limit + 1)
      .map(({ id }) => id)
    const listed =
      ids.length === 0 ? [] : (await Promise.all(stores.map((store) => store.listed(ids)))).flat()
    const byId = new Map(listed.map((order) => [order.id, order]))
    const rows: ListedOrder[] = ids.flatMap((id) => byId.get(id) ?? [])
    return toPage(
      rows,
      limit,
      (row) => row,
      ({ placedAt, id }) => [Date.parse(placedAt), id],
    )
  }
}

export type ListStaffOrders = ReturnType<typeof createStaffOrders>
