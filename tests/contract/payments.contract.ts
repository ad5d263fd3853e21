import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { cancelOrder, getOrder, placeOrder } from '@caravan/contracts/orders'
import {
  demandRefunds,
  getLedgerBalance,
  getPayment,
  inquirePayment,
  listLedgerEntries,
  listPayments,
  payOrder,
  receiveWebhook,
} from '@caravan/contracts/payments'
import { newId } from '@caravan/service-kit/ids'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { cards, heldCharge, shippingAddress } from '../support/shop.ts'
import { mint, shop, stack } from '../support/stack.ts'
import { get, refused } from './ask.ts'
import { holdToContract } from './hold-to-contract.ts'

holdToContract('payments')

const newOrder = async () => {
  const by = { token: mint.member().token }
  const items = await shop.newLines([3])
  const order = await get(placeOrder, { body: { items, shippingAddress } }, by)
  return { by, order, params: { orderId: String(order.id) } }
}
const paying = async (number: string = cards.good, sandbox?: object) => ({
  body: { paymentMethod: await shop.tokenise(number, sandbox) },
})
const asOperator = async () => ({ token: await shop.asOperator() })
const amountsOf = async (orderId: string): Promise<Record<string, number[]>> => {
  const { data } = await get(listLedgerEntries, { query: { orderId } }, await asOperator())
  const entries = data as { account: string; amount: number }[]
  const accounts = Map.groupBy(entries, ({ account }) => account)
  return Object.fromEntries([...accounts].map(([name, own]) => [name, own.map(({ amount }) => amount)]))
}
const inquire = (orderId: string) => get(inquirePayment, { body: { orderId } }, { through: 'orders' })

test('an order is paid once, its owner sees the payment, and the ledger has both sides', async () => {
  const { by, order, params } = await newOrder()
  assert.deepEqual(await inquire(order.id), { state: 'unpaid' })
  const payment = await get(payOrder, { params, ...(await paying()) }, by)
  assert.partialDeepStrictEqual(payment, {
    ...{ orderId: order.id, status: 'captured', amount: order.total, currency: order.currency },
  })
  await refused([409, 'payments/already-paid'], payOrder, { params, ...(await paying()) }, by)
  assert.deepEqual((await get(listPayments, { params }, by)).data, [payment])
  assert.deepEqual(await get(getPayment, { params: { paymentId: payment.id } }, by), payment)
  assert.deepEqual(await inquire(order.id), { state: 'captured', paymentId: payment.id })
  assert.deepEqual(await amountsOf(order.id), { provider: [order.total], customers: [-order.total] })
  await eventually('payment.captured has paid the order', async () => {
    const { status } = await get(getOrder, { params }, by)
    return status === 'confirmed'
  })

  const stranger = { token: mint.member().token }
  await refused([404, 'payments/not-found'], getPayment, { params: { paymentId: payment.id } }, stranger)
  assert.deepEqual((await get(listPayments, { params }, stranger)).data, [])
  await refused([404, 'orders/not-found'], payOrder, { params, ...(await paying()) }, stranger)
})

test('a declined card costs nothing, and another may pay', async () => {
  const { by, order, params } = await newOrder()
  const card = await paying(cards.insufficientFunds)
  const { declineCode } = await refused([402, 'payments/card-declined'], payOrder, { params, ...card }, by)
  assert.equal(declineCode, 'insufficient_funds')
  assert.deepEqual(await amountsOf(order.id), {})
  assert.equal((await get(payOrder, { params, ...(await paying()) }, by)).status, 'captured')
})

test('a cancelled order is not payable', async () => {
  const { by, params } = await newOrder()
  await get(cancelOrder, { params }, by)
  await refused([409, 'payments/order-not-payable'], payOrder, { params, ...(await paying()) }, by)
})

test('money that comes for an order which was cancelled meanwhile goes back, all of it and once', async () => {
  const { by, order, params } = await newOrder()
  const slow = get(payOrder, { params, ...(await paying(cards.good, heldCharge)) }, by)
  await eventually('the payment is under way', async () => {
    const { data } = await get(listPayments, { params }, by)
    return data.length === 1
  })
  await get(cancelOrder, { params }, by)
  const { id: paymentId } = await shop.released(slow)
  await eventually('order.refund-due has sent it back', async () => {
    const { status } = await get(getPayment, { params: { paymentId } }, by)
    return status === 'refunded'
  })
  const { total } = order
  assert.deepEqual(await amountsOf(order.id), { provider: [total, -total], customers: [-total, total] })
})

test('money that is demanded back by call goes back once, and its state is told; what is not there is left out', async () => {
  const { by, order, params } = await newOrder()
  const { id: paymentId } = await get(payOrder, { params, ...(await paying()) }, by)
  const declined = await newOrder()
  const card = await paying(cards.declined)
  await refused([402, 'payments/card-declined'], payOrder, { params: declined.params, ...card }, declined.by)
  const { data: none } = await get(listPayments, { params: declined.params }, declined.by)
  const body = { paymentIds: [newId(), none[0].id, paymentId] }
  const ask = async () => {
    const { data } = await get(demandRefunds, { body }, { through: 'orders' })
    return Object.fromEntries(
      data.map((each: { paymentId: string; status: string }) => [each.paymentId, each.status]),
    )
  }
  assert.deepEqual(await ask(), { [none[0].id]: 'declined', [paymentId]: 'refund-due' })
  await eventually('it went back', async () => (await ask())[paymentId] === 'refunded')
  const { total } = order
  assert.deepEqual(await amountsOf(order.id), { provider: [total, -total], customers: [-total, total] })
})

test('of each currency the ledger sums to zero', async () => {
  const { data } = await get(getLedgerBalance, {}, await asOperator())
  const sums = new Map<string, number>()
  for (const { currency, balance } of data as { currency: string; balance: number }[])
    sums.set(currency, (sums.get(currency) ?? 0) + balance)
  for (const [currency, sum] of sums) assert.equal(sum, 0, currency)
})

test('a webhook is believed for its signature alone, and then at its word', async () => {
  const { by, order, params } = await newOrder()
  const silent = await paying(cards.good, { failFirst: 5, webhook: { drop: true } })
  const payment = await get(payOrder, { params, ...silent }, by)
  assert.equal(payment.status, 'processing')

  const secret = String(stack.secrets['psp-webhook-secret'])
  const { total: amount, currency } = order
  const charge = { id: `ch_${newId()}`, status: 'declined', amount, currency, reference: payment.id }
  const event = { id: `evt_${newId()}`, type: 'charge.declined', createdAt: new Date().toISOString() }
  const raw = JSON.stringify({ ...event, data: { charge } })
  const now = Math.floor(Date.now() / 1000)
  const signed = (t: number, key: string, over = raw) =>
    `t=${t},v1=${createHmac('sha256', key).update(`${t}.${over}`).digest('hex')}`
  const tell = (signature?: string) => ({
    raw,
    headers: signature === undefined ? {} : { 'psp-signature': signature },
  })
  const bad = [undefined, '', signed(now, 'another secret'), signed(now, secret, `${raw} `)]
  for (const signature of [...bad, signed(now - 360, secret), signed(now + 360, secret)])
    await refused([401, 'payments/bad-signature'], receiveWebhook, {}, tell(signature))
  const statusOf = async () => (await get(getPayment, { params: { paymentId: payment.id } }, by)).status
  assert.equal(await statusOf(), 'processing')
  for (let n = 0; n < 2; n += 1) await get(receiveWebhook, {}, tell(signed(now, secret)))
  assert.equal(await statusOf(), 'declined')
})
