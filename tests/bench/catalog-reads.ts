import mysql from 'mysql2/promise'
import { Pool } from 'undici'
import type { Stack } from '../../tools/launcher/stack.ts'
import { stockUp } from '../load/goods.ts'
import { shopOf } from '../support/shop.ts'
import { closedLoop, type Done, measure } from './measure.ts'
import type { Leg, Part } from './rounds.ts'

const concurrency = 32
const products = 100

/** One product page from each of the three places where it is kept. */
export const catalogReads = async (stack: Stack): Promise<Part> => {
  const { products: items } = await stockUp(shopOf(stack), products, 1)
  const anyId = () => String(items[Math.floor(Math.random() * items.length)]?.id)
  const pid = (name: string): [string, number] => [name, Number(stack.process(name).pid)]
  const open = (port: unknown) =>
    new Pool(`http://127.0.0.1:${port}`, { connections: concurrency, pipelining: 1 })
  const gateway = open(new URL(stack.url).port)
  const sidecar = open(stack.process('catalog.sidecar').ports.http)
  const database = mysql.createPool({
    ...{ uri: String(stack.secrets['catalog-mysql']), connectionLimit: concurrency, jsonStrings: true },
  })

  const get = async (pool: Pool, path: string, headers: Record<string, string> = {}) => {
    const { statusCode, body } = await pool.request({ method: 'GET', path, headers })
    const text = await body.text()
    if (statusCode !== 200) throw new Error(`${path}: ${statusCode} ${text}`)
    return JSON.parse(text) as { id: string }
  }
  type Ask = (id: string) => Promise<{ id: string }>
  const read = (
    name: string,
    processes: string[],
    ask: Ask,
    around = (work: () => Promise<Done>) => work(),
  ): Leg => ({
    name,
    run: (ms) =>
      measure([['client', 0], ...processes.map(pid)], () =>
        around(() =>
          closedLoop(concurrency, ms, async () => {
            const id = anyId()
            const found = await ask(id)
            if (found.id !== id) throw new Error(`asked for ${id}, got ${found.id}`)
          }),
        ),
      ),
  })

  const hits = async () => {
    const { body } = await gateway.request({ method: 'GET', path: '/metrics' })
    const counted = /^http_request_duration_seconds_count\{.*route="cached",status="200".*\} (\d+)$/m
    return Number(counted.exec(await body.text())?.[1] ?? 0)
  }
  /** Throws when more than a few pages, those that grew too old meanwhile, did not come from the gateway's memory. */
  const fromMemory = async (work: () => Promise<Done>): Promise<Done> => {
    const before = await hits()
    const done = await work()
    const found = (await hits()) - before
    if (found < 0.99 * done.operations) throw new Error(`${found} of ${done.operations} came from memory`)
    return done
  }
  for (const { id } of items) await get(gateway, `/v1/products/${id}`)

  const token = { 'dapr-api-token': String(stack.tokens.catalog?.dapr) }
  return {
    letter: 'd',
    title: 'A product page from the cache, the service and the database',
    about:
      `One of ${products} products, at random, ${concurrency} at a time; the answer is parsed and its id compared. From the service: by the HTTP port of catalog’s own sidecar. ` +
      'From MySQL: the statement of catalog’s store, prepared, by mysql2 in the client. The gateway itself says how many it had in memory; a run with under 99 % is void.',
    base: 'gateway’s cache',
    legs: [
      read('gateway’s cache', ['gateway'], (id) => get(gateway, `/v1/products/${id}`), fromMemory),
      read('catalog, through its sidecar', ['catalog', 'catalog.sidecar', 'mysql'], (id) =>
        get(sidecar, `/v1.0/invoke/catalog/method/operations/getProduct?productId=${id}`, token),
      ),
      read('MySQL', ['mysql'], async (id) => {
        const [rows] = (await database.execute(
          "SELECT id, version, created_at, updated_at, content FROM products WHERE id = ? AND status = 'on-shelf' LIMIT 1",
          [id],
        )) as unknown as [{ id: string; content: string }[]]
        return { ...JSON.parse(String(rows[0]?.content)), id: String(rows[0]?.id) }
      }),
    ],
    legMs: 3000,
    warmUpMs: 700,
    close: async () => {
      await Promise.all([gateway.close(), sidecar.close(), database.end()])
    },
  }
}
