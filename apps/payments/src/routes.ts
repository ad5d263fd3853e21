import {
  demandPartialRefunds,
  demandRefunds,
  getLedgerBalance,
  getPayment,
  inquirePayment,
  listLedgerEntries,
  listPayments,
  payOrder,
  receiveWebhook,
} from '@caravan/contracts/payments'
import { AppError } from '@caravan/service-kit/errors'
import { type Route, route } from '@caravan/service-kit/route'
import type { PartialRefundStore } from './partial-refund-store.ts'
import { type createPayOrder, present } from './pay-order.ts'
import type { PaymentStore } from './payment-store.ts'
import type { Resolve } from './resolve.ts'
import type { createWebhook } from './webhook.ts'

export interface RouteParts {
  readonly payments: PaymentStore
  readonly parts: PartialRefundStore
  readonly pay: ReturnType<typeof createPayOrder>
  readonly resolve: Resolve
  readonly receive: ReturnType<typeof createWebhook>
}

export const routes = ({ payments, parts, pay, resolve, receive }: RouteParts): Route[] => [
  route(payOrder, ({ caller, params, body, once }) => pay(caller, params.orderId, body.paymentMethod, once)),

  route(listPayments, async ({ caller, params }) => {
    const found = await payments.ofOrder(params.orderId)
    return { data: found.filter((payment) => payment.accountId === caller.id).map(present) }
  }),

  route(getPayment, async ({ caller, params }) => {
    const payment = await payments.find(params.paymentId)
    if (payment?.accountId !== caller.id) {
      throw new AppError('not-found', 'payments/not-found', 'You have no such payment')
    }
    return present(payment)
  }),

  route(receiveWebhook, async ({ headers, raw }) => {
    await receive(String(headers['psp-signature'] ?? ''), raw)
    return undefined
  }),

  route(inquirePayment, async ({ body: { orderId } }) => {
    const open = (await payments.ofOrder(orderId)).find((payment) => payment.status === 'processing')
    if (open) await resolve.resolve(open)
    const all = await payments.ofOrder(orderId)
    const captured = all.find((payment) => payment.status === 'captured')
    if (captured) return { state: 'captured' as const, paymentId: captured.id }
    return {
      state: all.some((payment) => payment.status === 'processing')
        ? ('processing' as const)
        : ('unpaid' as const),
    }
  }),

  route(demandRefunds, async ({ body }) => {
    const found = await payments.demandRefundsNow(body.paymentIds)
    return { data: found.map(({ id, status }) => ({ paymentId: id, status })) }
  }),

  route(demandPartialRefunds, async ({ body }) => {
    const data = []
    for (const { refundId, ...refund } of body.refunds)
      data.push({ refundId, status: await parts.demandNow({ id: refundId, ...refund }) })
    return { data }
  }),

  route(listLedgerEntries, async ({ query }) => ({ data: await payments.ledgerOf(query.orderId) })),

  route(getLedgerBalance, async () => ({ data: await payments.balances() })),
]
