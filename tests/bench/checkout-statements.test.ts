import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Logged, scriptOf } from './checkout-statements.ts'

const id = (n: number) => `0192f3a4-5b6c-7d8e-8f90-00000000000${n}`
const [order, event, relay, foreign] = [1, 2, 3, 4].map(id) as [string, string, string, string]

const log: Logged[] = [
  { user: 'orders', thread: 2, sql: "select * from offers where sku in ('A-1')" },
  { user: 'orders', thread: 1, sql: 'BEGIN' },
  { user: 'orders', thread: 2, sql: `select * from orders where id = '${foreign}'` },
  {
    user: 'orders',
    thread: 1,
    sql: `INSERT INTO orders (id, doc) VALUES ('${order}', '{\\"sku\\":\\"A-1\\"}')`,
  },
  {
    user: 'inventory',
    thread: 3,
    sql: `UPDATE stock SET sold = sold + 1 WHERE sku = 'A-1' AND '${order}' > ''`,
  },
  {
    user: 'orders',
    thread: 1,
    sql: `INSERT INTO outbox (id, relay, data) VALUES ('${event}', '${relay}', 'it''s')`,
  },
  { user: 'orders', thread: 1, sql: 'COMMIT' },
  { user: 'payments', thread: 4, sql: 'START TRANSACTION' },
  { user: 'payments', thread: 4, sql: `UPDATE payments SET status = 'x' WHERE order_id = '${order}'` },
  { user: 'payments', thread: 4, sql: 'ROLLBACK' },
  { user: 'catalog', thread: 5, sql: 'SELECT * FROM outbox WHERE sent = FALSE' },
  { user: 'orders', thread: 2, sql: `SELECT * FROM outbox WHERE relay = '${relay}' LIMIT 100` },
  { user: 'orders', thread: 2, sql: 'UPDATE outbox SET sent = TRUE WHERE seq IN (16)' },
  { user: 'orders', thread: 2, sql: 'UPDATE outbox SET sent = TRUE WHERE seq IN (17)' },
]

test('a script has the statements of the checkout in order of commit, and no others', () => {
  const { units, relays, variables } = scriptOf(log, [order], ['A-1', 'B-1'])
  assert.deepEqual(variables, ['A-1', 'B-1', order, event, relay])
  const shown = (all: typeof units) =>
    all.map(({ service, transaction, statements }) => [
      ...[service, transaction],
      ...statements.map(({ sql }) => sql),
    ])
  assert.deepEqual(shown(units), [
    ['orders', false, 'select * from offers where sku in (?)'],
    ['inventory', false, 'UPDATE stock SET sold = sold + 1 WHERE sku = ? AND ? > ?'],
    [
      ...['orders', true],
      'INSERT INTO orders (id, doc) VALUES (?, ?)',
      'INSERT INTO outbox (id, relay, data) VALUES (?, ?, ?)',
    ],
  ])
  assert.deepEqual(shown(relays), [
    ['orders', false, 'SELECT * FROM outbox WHERE relay = ? LIMIT 100'],
    ['orders', false, 'UPDATE outbox SET sent = TRUE WHERE seq IN (?)'],
  ])
})

test('ids and SKUs inside of texts are what changes', () => {
  const { units, relays } = scriptOf(log, [order], ['A-1', 'B-1'])
  const [, , written] = units
  assert.deepEqual(written?.statements[0]?.values, [[2], ['{"sku":"', 0, '"}']])
  assert.deepEqual(written?.statements[1]?.values, [[3], [4], ["it's"]])
  assert.deepEqual(
    relays.map(({ statements }) => statements[0]?.outboxRows),
    [false, true],
  )
})
