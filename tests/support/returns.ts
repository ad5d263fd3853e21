import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { getFulfilment } from '@caravan/contracts/fulfilment'
import type { Order } from '@caravan/contracts/orders'
import type { OrderReturn } from '@caravan/contracts/returns'
import { eventually } from '@caravan/service-kit/testing/eventually'
import type { z } from 'zod'
import type { Line, Shop, Shopper } from './shop.ts'

type Fulfilment = z.infer<NonNullable<typeof getFulfilment.response>>

export interface Bought {
  readonly shopper: Pick<Shopper, 'token'>
  readonly orderId: string
  readonly paymentId: string
  readonly sku: string
  readonly units: (quantity: number) => { sku: string; quantity: number }[]
}

const sumOf = (entries: readonly { readonly amount: number }[]) =>
  entries.reduce((sum, { amount }) => sum + amount, 0)

/** What shoppers and staff do with goods that come back, each through the door, asked again until it is answered. */
export const returnsOf = (shop: Shop, mint: { member: () => Pick<Shopper, 'token'> }) => {
  const { sure, ok } = shop
  const post = async <T extends object>(
    token: string,
    path: string,
    body: object,
    status: number,
  ): Promise<T> => sure<T>('POST', path, { token, body }, status)
  const ofStaff = async <T extends object>(path: string, body: object, status = 200) =>
    post<T>(await shop.asOperator(), path, body, status)
  const pathOf = ({ orderId }: Bought, { id }: Pick<OrderReturn, 'id'>) =>
    `/v1/orders/${orderId}/returns/${id}`

  const fulfilmentOf = ({ shopper, orderId }: Bought) =>
    sure<Fulfilment>('GET', `/v1/orders/${orderId}/fulfilment`, { token: shopper.token })

  /** A confirmed order of so many units of one SKU, at 15.00 each, of which some are sent. */
  const bought = async (quantity: number, sent = quantity): Promise<Bought> => {
    const [line] = (await shop.newLines([quantity])) as [Line]
    const shopper = mint.member()
    const key = randomUUID()
    const order = ok(
      await shop.persistently(() => shop.tryOrder(shopper, [{ ...line, quantity }], { key })),
      201,
    )
    const method = await shop.tokenise()
    const payment = ok(await shop.persistently(() => shop.tryPay(shopper, order.id, method, { key })), 201)
    await eventually('it is confirmed', async () => {
      const now: Order = await shop.settled(shopper, order.id)
      return now.status === 'confirmed'
    })
    const units = (n: number) => [{ sku: line.sku, quantity: n }]
    const trackingNumber = randomUUID().replaceAll('-', '').toUpperCase()
    await ofStaff(
      `/v1/orders/${order.id}/shipments`,
      { lines: units(sent), carrier: 'dhl', trackingNumber },
      201,
    )
    return { shopper, orderId: order.id, paymentId: payment.id, sku: line.sku, units }
  }

  const request = (order: Bought, quantity: number, more: object = {}): Promise<OrderReturn> =>
    post(
      order.shopper.token,
      `/v1/orders/${order.orderId}/returns`,
      { lines: order.units(quantity), reason: 'unwanted', ...more },
      201,
    )
  const decide = (order: Bought, asked: OrderReturn, decision: 'approved' | 'rejected') =>
    ofStaff<OrderReturn>(`${pathOf(order, asked)}/decision`, { decision })
  const receive = (order: Bought, asked: OrderReturn, condition: 'resellable' | 'damaged') =>
    ofStaff<OrderReturn>(`${pathOf(order, asked)}/receipt`, { condition })
  const cancel = (order: Bought, asked: OrderReturn): Promise<OrderReturn> =>
    sure('POST', `${pathOf(order, asked)}/cancellation`, { token: order.shopper.token })

  const becomes = (order: Bought, { id }: OrderReturn, status: OrderReturn['status']): Promise<OrderReturn> =>
    eventually(
      `return ${id} is ${status}`,
      async () => {
        const now = (await fulfilmentOf(order)).returns.find((each) => each.id === id)
        return now?.status === status && now
      },
      180_000,
    )

  /** Provider and ledger agree that so much of an order went back. */
  const givenBack = async ({ orderId, paymentId }: Bought, amount: number): Promise<void> => {
    const charge = await eventually(
      `${amount} of order ${orderId} went back`,
      async () => {
        const [only] = await shop.chargesOf(paymentId)
        return only?.refunded === amount && only
      },
      180_000,
    )
    await eventually('the ledger says so', async () => {
      const ledger = await shop.ledgerOf(orderId)
      assert.equal(sumOf(ledger), 0)
      return sumOf(ledger.filter(({ account }) => account === 'provider')) === charge.amount - amount
    })
  }

  const available = (sku: string, units: number): Promise<boolean> =>
    eventually(
      `${units} of ${sku} can be sold`,
      async () => (await shop.stockOf(sku)).available === units,
      180_000,
    )

  return { fulfilmentOf, bought, request, decide, receive, cancel, becomes, givenBack, available }
}
