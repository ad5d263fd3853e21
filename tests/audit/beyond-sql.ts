import { isDeepStrictEqual } from 'node:util'
import type { Connection } from 'mysql2/promise'
import type { Stack } from '../../tools/launcher/stack.ts'
import { select } from './books.ts'
import { eventDays, type Finding } from './check.ts'

/** What is not in a database: carts and dead letters, in the state store, and the gateway's memory. */

const withinMs = 10_000
/** The newest events that are looked up in carts, and how many of one cart: it remembers its last fifty orders. */
const cartEvents = 20_000
const ofOneCart = 25
const batch = 100
const products = 200

type Look = (books: Connection) => Promise<Finding>

const finding = (
  about: Pick<Finding, 'invariant' | 'check' | 'checked'>,
  wrong: readonly string[],
): Finding => ({
  ...about,
  found: wrong.length,
  violations: wrong.slice(0, 20),
})

/** The sidecar's state API, in the app's name. */
const stateOf =
  (stack: Stack, app: string) =>
  async <T>(keys: readonly string[]): Promise<(T | undefined)[]> => {
    const { host, ports } = stack.process(`${app}.sidecar`)
    const url = `http://${host}:${ports.http}/v1.0/state/statestore/bulk`
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'dapr-api-token': String(stack.tokens[app]?.dapr) },
      body: JSON.stringify({ keys, parallelism: 10 }),
      signal: AbortSignal.timeout(withinMs),
    })
    if (answer.status !== 200)
      throw new Error(`the sidecar of ${app} answered ${answer.status} for its state`)
    const found = new Map(
      ((await answer.json()) as { key: string; data?: T; error?: string }[]).map((item) => {
        if (item.error) throw new Error(`${item.key}: ${item.error}`)
        return [item.key, item.data]
      }),
    )
    return keys.map((key) => found.get(key) ?? undefined)
  }

/** I5 for carts, which have no inbox: each cart remembers the paid orders that were taken off it. */
export const cartsTookOrders =
  (stack: Stack): Look =>
  async (books) => {
    const paid = await select<{ order: string; account: string }>(
      books,
      `SELECT event_key AS \`order\`, account FROM (
         SELECT event_key, account, ROW_NUMBER() OVER (PARTITION BY account ORDER BY seq DESC) AS nth FROM (
           SELECT seq, event_key, JSON_VALUE(data, '$.accountId') AS account FROM orders.outbox
           WHERE topic = 'order.paid' AND sent AND created_at > NOW(3) - INTERVAL ${eventDays} DAY
           ORDER BY seq DESC LIMIT ${cartEvents}) AS newest) AS by_account WHERE nth <= ${ofOneCart}`,
    )
    const read = stateOf(stack, 'carts')
    const accounts = [...new Set(paid.map((each) => each.account))]
    const taken = new Map<string, readonly string[]>()
    for (let start = 0; start < accounts.length; start += batch) {
      const some = accounts.slice(start, start + batch)
      const carts = await read<{ orders?: string[] }>(some.map((account) => `cart-${account}`))
      for (const [index, account] of some.entries()) taken.set(account, carts[index]?.orders ?? [])
    }
    const wrong = paid
      .filter(({ order, account }) => !taken.get(account)?.includes(order))
      .map(({ order, account }) => `the cart of ${account} was not told of order ${order}`)
    return finding(
      { invariant: 'I5', check: 'carts: every paid order was taken off', checked: paid.length },
      wrong,
    )
  }

/** I5: an event that a consumer gave up was not handled. */
export const nothingGivenUp =
  (stack: Stack, consumers: readonly string[]): Look =>
  async () => {
    const wrong: string[] = []
    for (const app of consumers) {
      const [letters] = await stateOf(stack, app)<{ id: string; topic: string }[]>(['dead-letters'])
      wrong.push(...(letters ?? []).map(({ id, topic }) => `${app} gave up ${topic} ${id}`))
    }
    return finding({ invariant: 'I5', check: 'no dead letters', checked: consumers.length }, wrong)
  }

interface ProductRow {
  readonly id: string
  readonly version: number
  readonly status: string
  readonly content: string
  readonly created_at: string
  readonly updated_at: string
}

const instant = (time: string) => `${time.replace(' ', 'T')}Z`

/** I9: each gateway's page of a product is catalog's. Of many products, those changed last and some by chance. */
export const gatewayServesCatalog =
  (stack: Stack): Look =>
  async (books) => {
    const columns = 'id, version, status, content, created_at, updated_at'
    const rows = await select<ProductRow>(
      books,
      `(SELECT ${columns} FROM catalog.products ORDER BY updated_at DESC LIMIT ${products / 2}) UNION
       (SELECT ${columns} FROM catalog.products ORDER BY MD5(id) LIMIT ${products / 2})`,
    )
    const wrong: string[] = []
    for (const url of stack.urls)
      for (const { id, version, status, content, created_at, updated_at } of rows) {
        const answer = await fetch(`${url}/v1/products/${id}`, { signal: AbortSignal.timeout(withinMs) })
        const body = (await answer.json()) as { version?: number }
        if (answer.status !== 200 && answer.status !== 404)
          throw new Error(`${url} answered ${answer.status}`)
        if (status === 'off-shelf') {
          if (answer.status !== 404) wrong.push(`${url} shows product ${id}, which is off the shelf`)
          continue
        }
        const truth = {
          id,
          version,
          ...JSON.parse(content),
          createdAt: instant(created_at),
          updatedAt: instant(updated_at),
        }
        if (!isDeepStrictEqual(body, truth))
          wrong.push(
            `${url} shows product ${id} as ${body.version ?? answer.status}, catalog has version ${version}`,
          )
      }
    return finding(
      {
        invariant: 'I9',
        check: 'the gateway shows products as catalog has them',
        checked: rows.length * stack.urls.length,
      },
      wrong,
    )
  }
