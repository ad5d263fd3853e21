import { connect } from '@caravan/service-kit/database'
import { Pool } from 'undici'
import { numberLetters } from '../../packages/contracts/src/order-number.ts'
import type { Stack } from '../../tools/launcher/stack.ts'
import { shopOf } from '../support/shop.ts'
import { closedLoop, measure } from './measure.ts'
import type { Part } from './rounds.ts'
import { quantile } from './statistics.ts'

const orders = 1_000_000
const chunk = 100_000
const accounts = 50_000
const skus = 10_000
const sellers = 200
const codes = 1000
/** One every half minute: a year of them. */
const apartMs = 30_000
const begun = Date.UTC(2025, 0, 1)
const limit = 20

const digit = `(${Array.from({ length: 10 }, (_, n) => `SELECT ${n} AS d`).join(' UNION ALL ')})`
const uuid = (kind: string, n: string) =>
  `LOWER(CONCAT('0192f3a4-${kind}-7000-8000-', LPAD(HEX(${n}), 12, '0')))`
const letterOf = (place: number) =>
  `SUBSTRING('${numberLetters}', 1 + FLOOR(n / ${numberLetters.length ** place}) % ${numberLetters.length}, 1)`
const number = `CONCAT('CV-', ${[7, 6, 5, 4].map(letterOf)}, '-', ${[3, 2, 1, 0].map(letterOf)})`

/** The nth order, and what it is found by, as expressions of SQL. The first account of all is the operator's. */
const columnsFor = (operator: string) => {
  const account = `IF(n % ${accounts} = 0, '${operator}', ${uuid('acc0', `n % ${accounts}`)})`
  const ms = `(${begun} + n * ${apartMs})`
  const sku = `CONCAT('BENCH-', n % ${skus})`
  return {
    ...{ account, sku, seller: uuid('5e11', `n % ${sellers}`), code: `CONCAT('BENCH', n % ${codes})` },
    currency: "IF(n % 10 = 0, 'EUR', 'USD')",
    id: `LOWER(CONCAT(LPAD(HEX(FLOOR(${ms} / 65536)), 8, '0'), '-', LPAD(HEX(${ms} % 65536), 4, '0'), '-7000-8000-', LPAD(HEX(n), 12, '0')))`,
    placedAt: `FROM_UNIXTIME(${ms} / 1000)`,
    status: `CASE WHEN n % 100 = 0 THEN 'pending-payment' WHEN n % 100 = 1 THEN 'paid' WHEN n % 10 = 2 THEN 'cancelled' ELSE 'confirmed' END`,
    lines: `JSON_ARRAY(JSON_OBJECT('sku', ${sku}, 'quantity', 2, 'unitPrice', 100, 'total', 200), JSON_OBJECT('sku', 'BENCH-ALL', 'quantity', 1, 'unitPrice', 100, 'total', 100))`,
  }
}

/** Straight into orders' tables, as its store writes them, but for events and quotes; nothing is due of them. */
const fill = async (url: string, operator: string): Promise<void> => {
  const db = connect(url, { statementSeconds: 600 })
  const { id, account, status, currency, lines, placedAt, sku, seller, code } = columnsFor(operator)
  for (let from = 0; from < orders; from += chunk) {
    const numbers = `(SELECT ${from} + a.d + 10 * b.d + 100 * c.d + 1000 * d.d + 10000 * e.d AS n
      FROM ${['a', 'b', 'c', 'd', 'e'].map((name) => `${digit} ${name}`).join(' JOIN ')}) AS numbers`
    await db.raw(`INSERT INTO orders (id, number, account_id, status, currency, total, order_lines, shipping_address, history, placed_at, pay_before, units)
      SELECT ${id}, ${number}, ${account}, ${status}, ${currency}, 300, ${lines}, '{"country":"CN"}', '[]', ${placedAt}, '2099-01-01', 3
      FROM ${numbers} ORDER BY n`)
    const found = { account, sku, seller, currency, 'sku ': "'BENCH-ALL'" }
    for (const [kind, value] of Object.entries(found))
      await db.raw(`INSERT INTO order_index (kind, value, placed_at, order_id)
        SELECT '${kind.trim()}', ${value}, ${placedAt}, ${id} FROM ${numbers}`)
    await db.raw(`INSERT INTO order_index (kind, value, placed_at, order_id)
      SELECT 'code', ${code}, ${placedAt}, ${id} FROM ${numbers} WHERE n % 10 = 3`)
  }
  await db.raw('ANALYZE TABLE orders, order_index')
  await db.destroy()
}

/** What a list of orders costs by its filter, through the door. */
export const staffOrders = async (stack: Stack): Promise<Part> => {
  const shop = shopOf(stack)
  const operator = String(stack.secrets['operator-email'])
  const subjectOf = (token: string): string =>
    JSON.parse(Buffer.from(String(token.split('.')[1]), 'base64url').toString()).sub
  await fill(String(stack.secrets['orders-mysql']), subjectOf(await shop.asOperator()))
  const door = new Pool(stack.url)
  const processes = ['gateway', 'gateway.sidecar', 'orders', 'orders.sidecar', 'mysql'].map(
    (name): [string, number] => [name, Number(stack.process(name).pid)],
  )

  const list = async (filter: Record<string, string>) => {
    const path = `/v1/staff-orders?${new URLSearchParams({ limit: String(limit), ...filter })}`
    const headers = { authorization: `Bearer ${await shop.asOperator()}` }
    const { statusCode, body } = await door.request({ method: 'GET', path, headers })
    const answer = await body.text()
    if (statusCode !== 200) throw new Error(`${path}: ${statusCode} ${answer}`)
    return JSON.parse(answer) as { data: { number: string }[]; next?: string }
  }
  const some = (below: number) => Math.floor(Math.random() * below)
  const leg = (name: string, found: number, filterOf: () => Record<string, string>) => ({
    name,
    run: (ms: number) =>
      measure(processes, async () => {
        const done = await closedLoop(1, ms, async () => {
          const { data } = await list(filterOf())
          if (data.length !== found) throw new Error(`${name}: ${data.length} on the page, not ${found}`)
        })
        return { ...done, more: { 'p95 ms': quantile(done.latencies, 0.95) } }
      }),
  })
  const hex = (n: number) => n.toString(16).padStart(12, '0')
  const at = (n: number) => new Date(begun + n * apartMs).toISOString()
  const after = (n: number) => ({ from: at(n), until: at(n + 2880) })
  const numbers = (await list({ limit: '100' })).data.map((order) => order.number)
  return {
    letter: 'h',
    title: `Everyone’s orders, of ${orders.toLocaleString('en')}`,
    about: `A page of ${limit} of \`GET /v1/staff-orders\`, one at a time, through the gateway. Each filter takes another value, and a page from somewhere in the year, for each request.`,
    base: 'number',
    legs: [
      leg('number', 1, () => ({ number: String(numbers[some(100)]) })),
      leg('none', limit, () => ({})),
      leg('a day', limit, () => after(some(orders - 2880))),
      leg('account of 20', limit, () => ({
        accountId: `0192f3a4-acc0-7000-8000-${hex(1 + some(accounts - 1))}`,
      })),
      leg('e-mail address', limit, () => ({ email: operator })),
      leg('SKU of 100', limit, () => ({ sku: `BENCH-${some(skus)}` })),
      leg('SKU of all', limit, () => ({ sku: 'BENCH-ALL', until: at(some(orders - 100) + 100) })),
      leg('seller of 5,000', limit, () => ({ sellerId: `0192f3a4-5e11-7000-8000-${hex(some(sellers))}` })),
      leg('coupon of 1,000', limit, () => ({ code: `BENCH${some(codes / 10) * 10 + 3}` })),
      leg('state of 10,000', limit, () => ({ status: 'paid', until: at(some(orders - 5000) + 5000) })),
      leg('state of 880,000', limit, () => ({ status: 'confirmed', until: at(some(orders - 100) + 100) })),
      leg('currency of 900,000', limit, () => ({ currency: 'USD', until: at(some(orders - 100) + 100) })),
    ],
    legMs: 4000,
    warmUpMs: 1000,
    close: () => door.close(),
  }
}
