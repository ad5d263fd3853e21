import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import type { Order } from '@caravan/contracts/orders'
import type { ListedOrder, Note, Step } from '@caravan/contracts/staff-orders'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { parse } from 'csv-parse/sync'
import type { Line } from '../support/shop.ts'
import { mint, shop } from '../support/stack.ts'

const { sure, door } = shop
const path = '/v1/staff-orders'

/** An account with a role, which counts by now. */
const memberAs = async (role: string) => {
  const member = await shop.newShopper()
  const token = await shop.asOperator()
  await sure('PUT', `/v1/accounts/${member.id}/roles/${role}`, { token }, 204)
  const expected = role === 'seller' ? 403 : 200
  await eventually(`${role} counts`, async () => {
    const { status } = await door('GET', path, { token: member.token })
    return status === expected
  })
  return member
}
const support = await memberAs('support')
const by = { token: support.token }

const list = (query: Record<string, string>) =>
  sure<{ data: ListedOrder[]; hasMore: boolean; next?: string }>(
    'GET',
    `${path}?${new URLSearchParams(query)}`,
    by,
  )
const idsOf = async (query: Record<string, string>) => (await list(query)).data.map(({ id }) => id)
const coupon = async (line: Line) => (await shop.newCoupon(line, { amount: 100 })).code
const ordered = async (shopper: { token: string }, line: Line, codes: string[] = []) => {
  const total = { amount: line.unitPrice.amount - 100 * codes.length, currency: line.unitPrice.currency }
  const key = randomUUID()
  const answer = await shop.persistently(() =>
    shop.tryOrder(shopper, [line], { key, wishes: { codes, total } }),
  )
  assert.equal(answer.status, 201, answer.text)
  return answer.body as unknown as Order
}

test('an order is found by its number, account, e-mail address, SKU, seller, coupon, state, currency and time', async () => {
  const shopper = await shop.newShopper()
  const [one, other] = await shop.newLines([5, 5])
  assert.ok(one && other)
  const code = await coupon(one)
  const placed = [
    await ordered(shopper, one),
    await ordered(shopper, one, [code]),
    await ordered(shopper, other),
  ]
  const [first, second, third] = placed as [Order, Order, Order]
  const all = placed.map(({ id }) => id).reverse()
  const seller = first.quote?.lines[0]?.seller ?? assert.fail('a line without a seller')
  assert.match(first.number ?? '', /^CV-/)

  assert.deepEqual(await idsOf({ number: String(first.number).toLowerCase().replaceAll('-', '') }), [
    first.id,
  ])
  assert.deepEqual(await idsOf({ email: shopper.email.toUpperCase() }), all)
  assert.deepEqual(await idsOf({ email: `nobody-${randomUUID()}@example.com` }), [])
  const [{ accountId }] = (await list({ number: String(first.number) })).data as [ListedOrder]
  assert.deepEqual(await idsOf({ accountId }), all)
  assert.deepEqual(await idsOf({ sku: one.sku }), [second.id, first.id])
  assert.deepEqual(await idsOf({ sellerId: seller }), all)
  assert.deepEqual(await idsOf({ code }), [second.id])
  for (const query of [{ status: 'pending-payment' }, { currency: 'USD' }, {}]) {
    const found = await idsOf({ limit: '100', from: first.placedAt, ...query })
    assert.deepEqual(
      found.filter((id) => all.includes(id)),
      all,
    )
  }
  assert.deepEqual(await idsOf({ accountId, from: second.placedAt, until: third.placedAt }), [second.id])

  const paging = await list({ accountId, limit: '2' })
  assert.deepEqual([paging.data.length, paging.hasMore], [2, true])
  const rest = await list({ accountId, limit: '2', after: String(paging.next) })
  assert.deepEqual(
    [...paging.data, ...rest.data].map(({ id }) => id),
    all,
  )

  const two = await door('GET', `${path}?sku=${one.sku}&status=paid`, by)
  assert.deepEqual([two.status, two.body?.code], [422, 'orders/one-filter'])
})

test('the file is the list, row by row', async () => {
  const shopper = mint.member()
  const [line] = await shop.newLines([3])
  assert.ok(line)
  for (let n = 0; n < 3; n += 1) await ordered(shopper, line)
  const { data } = await list({ sku: line.sku })
  const file = await door('GET', `${path}.csv?sku=${line.sku}`, by)
  assert.deepEqual([file.status, file.headers.get('content-type')], [200, 'text/csv; charset=utf-8'])
  const rows: Record<string, string>[] = parse(file.text, { columns: true })
  const filled = rows.map((row) => Object.fromEntries(Object.entries(row).filter(([, cell]) => cell !== '')))
  assert.deepEqual(
    filled,
    data.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, String(value)]))),
  )
})

test('an order’s timeline has each step with its trace, its parcels, refunds and notes', async () => {
  const shopper = mint.member()
  const [line] = await shop.newLines([1])
  assert.ok(line)
  const { id, number } = await ordered(shopper, line)
  await shop.persistently(async () => shop.tryPay(shopper, id, await shop.tokenise()))
  await eventually('it is confirmed', async () => (await shop.settled(shopper, id)).status === 'confirmed')
  const operator = { token: await shop.asOperator() }
  const note = await sure<Note>(
    'POST',
    `${path}/${id}/notes`,
    { ...by, body: { text: '她打来了电话。' } },
    201,
  )
  assert.deepEqual([note.author, note.text], [support.id, '她打来了电话。'])
  const lines = [{ sku: line.sku, quantity: 1 }]
  const parcel = { lines, carrier: 'dhl', trackingNumber: 'JJD000390007882' }
  await sure('POST', `/v1/orders/${id}/shipments`, { ...operator, body: parcel }, 201)
  await sure('POST', `/v1/orders/${id}/refunds`, { ...by, body: { amount: 100 } }, 201)
  const steps = await eventually('the refund is done', async () => {
    const { data } = await sure<{ data: Step[] }>('GET', `${path}/${id}/timeline`, by)
    return data.some(({ what }) => what === 'refund-done') && data
  })
  assert.deepEqual(
    steps.map(({ what }) => what),
    ['placed', 'paid', 'confirmed', 'note', 'parcel-shipped', 'refund-due', 'refund-done'],
  )
  for (const { what, traceId } of steps) assert.match(String(traceId), /^[0-9a-f]{32}$/, what)
  const shown = await sure<Order & { accountId: string; fulfilment: { number: string } }>(
    'GET',
    `${path}/${id}`,
    by,
  )
  assert.deepEqual([shown.accountId, shown.number, shown.fulfilment.number], [shopper.id, number, number])
  const notes = await sure<{ data: Note[] }>('GET', `${path}/${id}/notes`, by)
  assert.deepEqual(notes.data, [note])
})

test('orders of all are for support, finance and operators, not for sellers, shoppers or anybody', async () => {
  const [line] = await shop.newLines([1])
  assert.ok(line)
  const shopper = mint.member()
  const { id } = await ordered(shopper, line)
  const seen = ['', '.csv', `/${id}`, `/${id}/timeline`, `/${id}/notes`]
  const statusesOf = async (token?: string) => {
    const statuses: number[] = []
    for (const each of seen) {
      const filter = each.startsWith('/') ? '' : `?sku=${line.sku}`
      const ask = { ...(token ? { token } : {}) }
      statuses.push((await shop.persistently(() => door('GET', `${path}${each}${filter}`, ask))).status)
    }
    const note = { body: { text: 'A note.' }, ...(token ? { token } : {}) }
    statuses.push((await shop.persistently(() => door('POST', `${path}/${id}/notes`, note))).status)
    return statuses
  }
  const answers = (status: number, written = status) => [...seen.map(() => status), written]
  for (const role of ['support', 'finance', 'operator'])
    assert.deepEqual(await statusesOf((await memberAs(role)).token), answers(200, 201), role)
  const seller = await memberAs('seller')
  for (const { token } of [seller, shopper]) assert.deepEqual(await statusesOf(token), answers(403))
  assert.deepEqual(await statusesOf(), answers(401))
})
