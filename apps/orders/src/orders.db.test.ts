import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { createServer } from 'node:net'
import { after, before, test } from 'node:test'
import { listAccessChanges } from '@caravan/contracts/access'
import { listProductChanges, productChanged } from '@caravan/contracts/catalog'
import { getKeys, inquireAccount } from '@caravan/contracts/identity'
import { reserve, sellReserved } from '@caravan/contracts/inventory'
import { invoiceOperations, listOrderDocuments } from '@caravan/contracts/invoices'
import { invokedPath, type Operation } from '@caravan/contracts/operation'
import {
  cancelOrder,
  getOrder,
  listOrders,
  type Order,
  ordersOperations,
  placeOrder,
} from '@caravan/contracts/orders'
import { inquirePayment } from '@caravan/contracts/payments'
import { listPromotionChanges } from '@caravan/contracts/promotions'
import { listSales, salesOperations } from '@caravan/contracts/sales'
import {
  addOrderNote,
  getOrderTimeline,
  getStaffOrder,
  type ListedOrder,
  listOrderNotes,
  listStaffOrders,
  type Note,
  type Step,
  staffOrdersOperations,
} from '@caravan/contracts/staff-orders'
import { newId, slotOf } from '@caravan/service-kit/ids'
import { entriesOf } from '@caravan/service-kit/testing/access-of'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { type FakeSidecar, startFakeSidecar } from '@caravan/service-kit/testing/fake-sidecar'
import { createTestDatabase, type TestDatabase } from '@caravan/service-kit/testing/test-database'
import { createTokenIssuer, issuer, kid } from '@caravan/service-kit/testing/token-issuer'

/** The service itself, as a process, with the orders of its accounts in one database or two. */
const tokens = createTokenIssuer()
const appToken = 'a-token-of-the-app'
const patienceMs = 180_000
const patiently = <T>(what: string, ask: () => Promise<T> | T) => eventually(what, ask, patienceMs)
const migrations = new URL('../migrations/', import.meta.url)
let databases: [TestDatabase, TestDatabase]
let orders: Awaited<ReturnType<typeof startOrders>>
const started: ChildProcess[] = []

const staff = newId()
const product = productChanged.example
const finance = newId()
const [variant] = product.variants

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  await new Promise((closed) => server.close(closed))
  return port
}

type Answers = Record<string, (body: never) => unknown>

/** Another service: answers to operations, by their ids. */
const serving =
  (answers: Answers): RequestListener =>
  async (request, response) => {
    let text = ''
    for await (const chunk of request.setEncoding('utf8')) text += chunk
    const id = /^\/operations\/(\w+)/.exec(request.url ?? '')?.[1] ?? ''
    const body = answers[id]?.((text ? JSON.parse(text) : undefined) as never)
    response.writeHead(body ? 200 : 404, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }

const noChanges = () => ({ data: [], hasMore: false, until: new Date().toISOString() })

/** What stands around it. */
const surround = (fake: FakeSidecar): void => {
  const own = [
    ...ordersOperations,
    ...invoiceOperations,
    ...staffOrdersOperations,
    ...salesOperations,
  ] as readonly Operation[]
  const grant = { kind: 'grant', id: `${finance} finance`, value: { account: finance, role: 'finance' } }
  const entries = [...own.flatMap(entriesOf), grant]
  const keys = [{ ...tokens.publicKey.export({ format: 'jwk' }), kid }]
  const around: Record<string, Answers> = {
    identity: {
      [getKeys.id]: () => ({ keys }),
      [listAccessChanges.id]: () => ({
        ...{ version: 1, hasMore: false },
        entries: [
          ...entries,
          { kind: 'grant', id: `${staff} support`, value: { account: staff, role: 'support' } },
        ],
      }),
      [inquireAccount.id]: ({ email }: { email: string }) =>
        email.startsWith('nobody')
          ? { outcome: 'not-found' }
          : { outcome: 'found', accountId: email.split('@')[0] },
    },
    inventory: {
      [reserve.id]: () => ({ outcome: 'reserved' }),
      [sellReserved.id]: ({ orders: sold }: { orders: { orderId: string }[] }) => ({
        data: sold.map(({ orderId }) => ({ orderId, outcome: 'fulfilled' })),
      }),
    },
    payments: { [inquirePayment.id]: () => ({ state: 'unpaid' }) },
    catalog: { [listProductChanges.id]: noChanges },
    promotions: { [listPromotionChanges.id]: noChanges },
  }
  for (const [app, answers] of Object.entries(around)) fake.serve(app, serving(answers))
}

const startOrders = async (...urls: string[]) => {
  const fake = await startFakeSidecar({
    app: 'orders',
    secrets: { 'orders-mysql': urls.join(' '), 'carrier-webhook-secret': 'a-secret-of-the-carrier' },
  })
  surround(fake)
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const app = spawn(process.execPath, [new URL('main.ts', import.meta.url).pathname], {
    env: {
      ...process.env,
      ...{ APP_PORT: String(port), DAPR_HTTP_PORT: String(fake.port), DAPR_GRPC_PORT: '1' },
      ...{ APP_API_TOKEN: appToken, DAPR_API_TOKEN: fake.token, TOKEN_ISSUER: issuer, LOG_LEVEL: 'fatal' },
    },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  started.push(app)
  const ended = once(app, 'exit')
  await patiently(
    'orders serves',
    async () =>
      app.exitCode !== null || (await fetch(`${url}/readyz`).catch(() => undefined))?.status === 200,
  )
  assert.equal(app.exitCode, null)
  const stop = async (): Promise<void> => {
    app.kill()
    assert.deepEqual(await ended, [0, null])
    await fake.stop()
  }
  return { url, fake, stop }
}

before(async () => {
  databases = [await createTestDatabase(migrations), await createTestDatabase(migrations)]
  orders = await startOrders(databases[0].url, databases[1].url)
  assert.equal(await deliver('product.changed', product), 'SUCCESS')
})
after(async () => {
  await orders?.stop().finally(() => {
    for (const app of started) app.kill('SIGKILL')
  })
  await Promise.all(databases?.map((each) => each.drop()) ?? [])
})

/** An answer that does not ask for a repeat: a busy machine gives such. */
const send = (method: string, path: string, headers: Record<string, string>, body?: unknown) =>
  patiently(`${method} ${path} is answered`, async () => {
    const response = await fetch(orders.url + path, {
      method,
      headers: { 'dapr-api-token': appToken, 'content-type': 'application/json', ...headers },
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
    const answer = { status: response.status, body: (await response.json()) as Record<string, unknown> }
    return answer.status !== 503 && answer.body.code !== 'idempotency/in-flight' && answer
  })
/** Events in one delivery; a status for each, when none wants to be delivered again. */
const deliverAll = (topic: string, all: readonly unknown[]): Promise<string[]> => {
  const entries = all.map((data) => ({
    entryId: newId(),
    event: { specversion: '1.0', id: newId(), source: '/tests', type: topic, data },
  }))
  return patiently(`${topic} is handled`, async () => {
    const { body } = await send('POST', `/events/${topic}`, {}, { entries })
    const statuses = (body.statuses as { status: string }[]).map(({ status }) => status)
    return !statuses.includes('RETRY') && statuses
  })
}
const deliver = async (topic: string, data: unknown) => (await deliverAll(topic, [data]))[0]

const call = <T = Order>(
  account: string,
  operation: Operation,
  more: { key?: string; query?: string; body?: unknown } = {},
) =>
  send(
    operation.method,
    `${invokedPath(operation)}?${more.query ?? ''}`,
    { authorization: tokens.bearer({ sub: account }), ...(more.key ? { 'idempotency-key': more.key } : {}) },
    more.body,
  ) as Promise<{ status: number; body: T }>

const request = {
  items: [{ sku: variant?.sku, quantity: 1, unitPrice: variant?.price }],
  shippingAddress: {
    name: 'Mei',
    line1: '1 Long Road',
    city: 'Xi’an',
    region: 'SN',
    postalCode: '710000',
    country: 'CN',
  },
}
const place = async (account: string, key: string = newId()): Promise<Order> => {
  const { status, body } = await call(account, placeOrder, { key, body: request })
  assert.equal(status, 201, JSON.stringify(body))
  return body
}
const captured = (orderId: string) => ({ paymentId: newId(), orderId, total: variant?.price })

/** In which of the databases a table has rows of a value: their numbers. */
const whereIs = async (table: string, column: string, value: string): Promise<number[]> => {
  const found = await Promise.all(
    databases.map(({ db }) => db(table).where(column, 'like', value).count({ count: '*' })),
  )
  return found.flatMap(([row], index) => (Number(row?.count) > 0 ? [index] : []))
}
const homeOf = (account: string): number => ((slotOf(account) as number) < 2048 ? 0 : 1)
/** Accounts of either database, in turns. */
const accounts = (count: number): string[] => {
  const made: string[] = []
  while (made.length < count) {
    const account = newId()
    if (homeOf(account) === made.length % 2) made.push(account)
  }
  return made
}

test('all that is an account’s is in one database, and both have accounts', async () => {
  for (const account of accounts(8)) {
    const placed = [await place(account), await place(account)]
    const home = [homeOf(account)]
    assert.deepEqual(await whereIs('orders', 'account_id', account), home)
    assert.deepEqual(await whereIs('shoppers', 'account_id', account), home)
    assert.deepEqual(await whereIs('idempotency_keys', 'scope', `${account} %`), home)
    for (const { id } of placed) {
      assert.equal(slotOf(id), slotOf(account))
      assert.deepEqual(await whereIs('outbox', 'event_key', id), home)
      assert.equal((await call(account, getOrder, { query: `orderId=${id}` })).body.status, 'pending-payment')
    }
    const page = await call<{ data: Order[] }>(account, listOrders)
    assert.deepEqual(
      page.body.data.map(({ id }) => id),
      placed.map(({ id }) => id).reverse(),
    )
  }
})

test('a repeated request gets its first answer, in whichever database', async () => {
  for (const account of accounts(2)) {
    const key = newId()
    const order = await place(account, key)
    assert.equal((await place(account, key)).id, order.id)
  }
})

test('events of orders of both databases in one delivery each have their effect, once, and are told out of both', async () => {
  const owners = accounts(6)
  const placed = await Promise.all(owners.map((account) => place(account)))
  const payments = placed.map(({ id }) => captured(id))
  assert.deepEqual(
    await deliverAll('payment.captured', payments),
    placed.map(() => 'SUCCESS'),
  )
  assert.deepEqual(
    await deliverAll(
      'reservation.fulfilled',
      placed.map(({ id }) => ({ orderId: id })),
    ),
    placed.map(() => 'SUCCESS'),
  )
  for (const [index, { id }] of placed.entries()) {
    const { body } = await call(owners[index] as string, getOrder, { query: `orderId=${id}` })
    assert.deepEqual(
      body.history.map(({ what }) => what),
      ['placed', 'paid', 'confirmed'],
    )
  }
  await patiently('all was told', () =>
    ['order.placed', 'order.paid', 'order.confirmed'].every((topic) => {
      const told = orders.fake.publishedTo(topic).map(({ data }) => (data as { orderId: string }).orderId)
      return placed.every(({ id }) => told.filter((each) => each === id).length === 1)
    }),
  )
})

test('an order of which nobody knows is not found, by a shopper or an event', async () => {
  for (const account of accounts(2)) {
    const unknown = newId()
    assert.equal((await call(account, getOrder, { query: `orderId=${unknown}` })).status, 404)
    assert.equal(await deliver('payment.captured', captured(unknown)), 'DROP')
  }
})

test('an order whose id does not say where it is, as those of earlier releases, is found, changed and told all the same', async () => {
  for (const account of accounts(2)) {
    const { id } = await place(account)
    const old = accounts(2)[1 - homeOf(account)] as string
    const { db } = databases[homeOf(account)] as TestDatabase
    await db('orders').where({ id }).update({ id: old })
    assert.equal((await call(account, getOrder, { query: `orderId=${old}` })).status, 200)
    const payment = captured(old)
    for (let time = 0; time < 2; time += 1)
      assert.deepEqual(await deliverAll('payment.captured', [payment, payment]), ['SUCCESS', 'SUCCESS'])
    const { body } = await call(account, getOrder, { query: `orderId=${old}` })
    assert.deepEqual(
      body.history.map(({ what }) => what),
      ['placed', 'paid'],
    )
    assert.deepEqual(await whereIs('orders', 'id', old), [homeOf(account)])
    const paid = await db('outbox').where({ event_key: old, topic: 'order.paid' })
    assert.equal(paid.length, 1)
  }
})

test('sweeps come to both databases: what is not paid ends, what is paid is asked about, addresses are erased', async () => {
  const [one, two] = accounts(2) as [string, string]
  for (const account of [one, two]) {
    const { db } = databases[homeOf(account)] as TestDatabase
    const [unpaid, paid] = [await place(account), await place(account)]
    await deliver('payment.captured', captured(paid.id))
    await db('orders').where({ id: unpaid.id }).update({ pay_before: '2000-01-01' })
    await db('orders').where({ id: paid.id }).update({ ask_at: '2000-01-01' })
    const status = async ({ id }: Order) =>
      (await call(account, getOrder, { query: `orderId=${id}` })).body.status
    await patiently('the unpaid order ends', async () => (await status(unpaid)) === 'cancelled')
    await patiently('the paid order is confirmed', async () => (await status(paid)) === 'confirmed')
    assert.equal(await deliver('account.closed', { accountId: account }), 'SUCCESS')
    await patiently('the address is erased', async () => {
      const row = await db('orders').where({ id: unpaid.id }).first('address_erased')
      return row?.address_erased === 1
    })
    assert.equal((await call(account, placeOrder, { key: newId(), body: request })).status, 401)
  }
})

/** A confirmed order's invoice, by its number. */
const invoiceOf = async (account: string): Promise<string> => {
  const { id } = await place(account)
  await deliver('payment.captured', captured(id))
  await deliver('reservation.fulfilled', { orderId: id })
  const query = `orderId=${id}`
  const { body } = await call<{ data: { number: string }[] }>(account, listOrderDocuments, { query })
  assert.equal(body.data.length, 1)
  return String(body.data[0]?.number)
}
const sellerIn = async ({ db }: TestDatabase): Promise<void> => {
  const seller = { address: request.shippingAddress }
  const content = JSON.stringify({ seller, timeZone: 'Asia/Shanghai', language: 'zh' })
  await db('invoicing').update({ content })
}

test('each database numbers its documents by itself, under a code of its own', async () => {
  await sellerIn(databases[0])
  const of = Map.groupBy(accounts(6), homeOf)
  const codes = await Promise.all(
    [0, 1].map(async (home) => {
      const numbers = []
      for (const account of of.get(home) ?? []) numbers.push(await invoiceOf(account))
      const [code] = numbers.map((number) => number.split('-')[1])
      const counts = numbers.map((number) => Number(number.replace(/^20\d\d-\d-/, '')))
      assert.ok(counts.every((count, index) => count > 0 && count > Number(counts[index - 1] ?? 0)))
      assert.ok(numbers.every((number) => number.split('-')[1] === code))
      return code
    }),
  )
  assert.deepEqual(codes.sort(), ['1', '2'])
})

test('figures are those of both databases together', async () => {
  const day = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10)
  const query = `by=sku&from=${day(-1)}&until=${day(1)}&sku=${variant?.sku}`
  const sold = async (): Promise<number> => {
    const { body } = await call<{ data: { sold: { units: number } }[] }>(finance, listSales, { query })
    assert.ok(body.data.length <= 1)
    return body.data[0]?.sold.units ?? 0
  }
  const confirmed = async () =>
    (await Promise.all(databases.map(({ db }) => db('orders').where({ status: 'confirmed' })))).map(
      ({ length }) => length,
    )
  const counts = await confirmed()
  assert.ok(counts.every((count) => count > 0))
  await patiently(
    'all of it is counted',
    async () => (await sold()) === Number(counts[0]) + Number(counts[1]),
  )
})

test('cancelling and capturing at once have one winner, in whichever database', async () => {
  for (const account of accounts(4)) {
    const { id } = await place(account)
    const [cancelled] = await Promise.all([
      call(account, cancelOrder, { query: `orderId=${id}` }),
      deliver('payment.captured', captured(id)),
    ])
    const { body } = await call(account, getOrder, { query: `orderId=${id}` })
    assert.equal(body.status, cancelled.status === 200 ? 'cancelled' : 'paid')
  }
})

test('staff lists the orders of both databases as one list, and finds each by what it is', async () => {
  const owners = accounts(4)
  const placed: Order[] = []
  for (const owner of [...owners, ...owners]) placed.unshift(await place(owner))
  const list = async (query: Record<string, string>) => {
    const search = String(new URLSearchParams(query))
    const { status, body } = await call<{ data: ListedOrder[]; next?: string }>(staff, listStaffOrders, {
      query: search,
    })
    assert.equal(status, 200, JSON.stringify(body))
    return body
  }
  const from = placed.at(-1)?.placedAt as string
  const pages: ListedOrder[] = []
  for (let after: string | undefined; ; ) {
    const { data, next } = await list({ limit: '3', from, ...(after ? { after } : {}) })
    pages.push(...data)
    after = next
    if (!after) break
  }
  assert.deepEqual(
    pages.map(({ id }) => id),
    placed.map(({ id }) => id),
  )
  for (const [n, owner] of owners.entries()) {
    const own = placed.filter(({ id }) => slotOf(id) === slotOf(owner)).map(({ number }) => number)
    for (const query of [{ accountId: owner }, { email: `${owner}@example.com` }])
      assert.deepEqual(
        (await list(query)).data.map(({ number }) => number),
        own,
      )
    const { id, number = '' } = placed[n] as Order
    const found = await list({ number: number.toLowerCase().slice(3) })
    assert.deepEqual(
      found.data.map((order) => order.id),
      [id],
    )
  }
  assert.deepEqual((await list({ email: 'nobody@example.com' })).data, [])
  const several = { query: `sku=${variant?.sku}&status=paid` }
  assert.equal((await call(staff, listStaffOrders, several)).status, 422)
  assert.equal((await call(staff, listStaffOrders, { query: 'after=bm90IG9uZQ' })).status, 422)
  assert.equal((await call(owners[0] as string, listStaffOrders)).status, 403)
})

test('staff writes notes, which stand in the timeline with all steps and their traces, in whichever database', async () => {
  for (const account of accounts(2)) {
    const order = await place(account)
    const query = `orderId=${order.id}`
    const key = newId()
    const write = (text: string, by = key) =>
      call<Note>(staff, addOrderNote, { query, key: by, body: { text } })
    const first = await write('She called.')
    assert.deepEqual(await write('She called.'), first)
    assert.partialDeepStrictEqual(first, { status: 201, body: { author: staff, text: 'She called.' } })
    const second = await write('He called.', newId())
    await deliver('payment.captured', captured(order.id))
    const page = await call<{ data: Note[]; next: string }>(staff, listOrderNotes, {
      query: `${query}&limit=1`,
    })
    assert.deepEqual(page.body.data, [second.body])
    const rest = await call<{ data: Note[] }>(staff, listOrderNotes, {
      query: `${query}&limit=1&after=${page.body.next}`,
    })
    assert.deepEqual(rest.body, { data: [first.body], hasMore: false })
    const { body } = await call<{ data: Step[] }>(staff, getOrderTimeline, { query })
    assert.deepEqual(
      body.data.map(({ what, about }) => [what, about]),
      [
        ['placed', undefined],
        ['note', first.body.id],
        ['note', second.body.id],
        ['paid', undefined],
      ],
    )
    for (const { traceId } of body.data) assert.match(String(traceId), /^[0-9a-f]{32}$/)
    const shown = await call<Order & { accountId: string }>(staff, getStaffOrder, { query })
    assert.deepEqual([shown.body.accountId, shown.body.number], [account, order.number])
    const unknown = `orderId=${newId()}`
    assert.equal((await call(staff, getOrderTimeline, { query: unknown })).status, 404)
    const none = { query: unknown, key: newId(), body: { text: 'Nothing.' } }
    assert.equal((await call(staff, addOrderNote, none)).status, 404)
  }
})

/** What docs/operations.md says to do in each of two databases that are copies of one, or in the copy alone. */
const statementsFor = (what: 'halve' | 'copy'): string[] => {
  const text = readFileSync(new URL('../../../docs/operations.md', import.meta.url), 'utf8')
  const [, sql = ''] = new RegExp(`<!-- ${what} -->\\n\`\`\`sql\\n([\\s\\S]+?)\`\`\``).exec(text) ?? []
  return sql.split(/;\s*$/m).filter((statement) => statement.trim() !== '')
}

test('a service that had one database goes on with two halves of it', async () => {
  const whole = await createTestDatabase(migrations)
  const half = await createTestDatabase(migrations)
  const other = orders
  try {
    orders = await startOrders(whole.url)
    await deliver('product.changed', product)
    const owners = accounts(6)
    const keys = owners.map(() => newId())
    const placed = await Promise.all(owners.map((account, n) => place(account, keys[n])))
    await sellerIn(whole)
    const [one, two] = accounts(2) as [string, string]
    const numbers = [await invoiceOf(one), await invoiceOf(two)]
    await patiently(
      'all was told',
      async () => (await whole.db('outbox').where({ sent: false })).length === 0,
    )
    await orders.stop()

    const name = new URL(whole.url).pathname.slice(1)
    const tables: string[] = await whole
      .db('information_schema.tables')
      .where({ table_schema: name })
      .pluck('table_name')
    for (const table of tables) {
      await half.db(table).delete()
      await half.db.raw('INSERT INTO ?? SELECT * FROM ??.??', [table, name, table])
    }
    const statements = statementsFor('halve')
    assert.equal(statements.length, 13)
    for (const statement of statements) {
      await whole.db.raw(statement)
      await half.db.raw(statement.replace('>=', '<'))
    }
    for (const statement of statementsFor('copy')) await half.db.raw(statement)

    orders = await startOrders(whole.url, half.url)
    for (const [n, { id }] of placed.entries()) {
      const account = owners[n] as string
      const rows = await Promise.all([whole, half].map(({ db }) => db('orders').where({ id })))
      assert.deepEqual(
        rows.map(({ length }) => length),
        homeOf(account) === 0 ? [1, 0] : [0, 1],
      )
      assert.equal((await place(account, keys[n])).id, id)
      assert.equal(await deliver('payment.captured', captured(id)), 'SUCCESS')
      assert.equal((await call(account, getOrder, { query: `orderId=${id}` })).body.status, 'paid')
    }
    for (const account of [one, two]) numbers.push(await invoiceOf(account))
    assert.deepEqual(
      numbers.map((number) => number.slice(4)),
      ['-1-000001', '-1-000002', '-1-000003', '-2-000001'],
    )
    await orders.stop()
  } finally {
    orders = other
    await Promise.all([whole.drop(), half.drop()])
  }
})
