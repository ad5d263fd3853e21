import { z } from 'zod'
import { currency, id, instant, total } from './common.ts'
import { event } from './event.ts'
import { operation } from './operation.ts'

const app = 'payments'

/** `processing`: the provider has not answered yet; the order is told by event when it has. */
export const paymentStatus = z.enum(['processing', 'captured', 'declined', 'refund-due', 'refunded'])
export type PaymentStatus = z.infer<typeof paymentStatus>

export const payment = z.object({
  id,
  orderId: id,
  status: paymentStatus,
  amount: total.shape.amount,
  currency,
  declineCode: z.string().optional(),
  /** Of a captured payment, what of it went back or is on its way. */
  partlyRefunded: total.shape.amount.optional(),
  createdAt: instant,
})
export type Payment = z.infer<typeof payment>

const orderParams = z.strictObject({ orderId: id })
const bookkeeping = { roles: ['finance'] } as const

export const payOrder = operation({
  app,
  id: 'payOrder',
  method: 'POST',
  path: '/v1/orders/{orderId}/payments',
  summary: 'Pay an order with a payment method that the provider has tokenised; no card number comes here',
  access: 'member',
  status: 201,
  idempotent: true,
  params: orderParams,
  body: z.strictObject({ paymentMethod: z.string().regex(/^pm_[A-Za-z0-9_-]{1,100}$/) }),
  response: payment,
  problems: {
    'orders/not-found': 404,
    'payments/order-not-payable': 409,
    'payments/already-paid': 409,
    'payments/in-progress': 409,
    'payments/card-declined': 402,
    'payments/unknown-payment-method': 422,
    'payments/given-up': 409,
  },
})

export const listPayments = operation({
  app,
  id: 'listPayments',
  method: 'GET',
  path: '/v1/orders/{orderId}/payments',
  summary: 'The payments of one of one’s own orders, newest first',
  access: 'member',
  status: 200,
  params: orderParams,
  response: z.object({ data: z.array(payment) }),
})

export const getPayment = operation({
  app,
  id: 'getPayment',
  method: 'GET',
  path: '/v1/payments/{paymentId}',
  summary: 'One of one’s own payments',
  access: 'member',
  status: 200,
  params: z.strictObject({ paymentId: id }),
  response: payment,
  problems: { 'payments/not-found': 404 },
})

export const receiveWebhook = operation({
  app,
  id: 'receiveProviderWebhook',
  method: 'POST',
  path: '/v1/webhooks/psp',
  summary: 'What the card provider tells; signed, and believed only within five minutes',
  access: 'anyone',
  status: 204,
  raw: true,
  problems: { 'payments/bad-signature': 401, 'payments/unreadable-webhook': 422 },
})

export const inquirePayment = operation({
  app,
  id: 'inquirePayment',
  method: 'POST',
  path: '/v1/payment-inquiries',
  summary: 'The truth about an order’s money, asked of the provider where it is not known',
  access: { apps: ['orders'] },
  status: 200,
  body: z.strictObject({ orderId: id }),
  response: z.discriminatedUnion('state', [
    z.object({ state: z.literal('unpaid') }),
    z.object({ state: z.literal('processing') }),
    z.object({ state: z.literal('captured'), paymentId: id }),
  ]),
})

export const demandRefunds = operation({
  app,
  id: 'demandRefunds',
  method: 'POST',
  path: '/v1/refunds',
  summary:
    'Give captured payments back whose events may be lost, and tell what they are now; leaves out unknown ones',
  access: { apps: ['orders'] },
  status: 200,
  body: z.strictObject({ paymentIds: z.array(id).min(1).max(500) }),
  response: z.object({ data: z.array(z.object({ paymentId: id, status: paymentStatus })) }),
})

export const demandPartialRefunds = operation({
  app,
  id: 'demandPartialRefunds',
  method: 'POST',
  path: '/v1/partial-refunds',
  summary: 'Give parts of captured payments back whose events may be lost, and tell what became of them',
  access: { apps: ['orders'] },
  status: 200,
  body: z.strictObject({
    refunds: z
      .array(z.strictObject({ refundId: id, paymentId: id, amount: z.int().min(1) }))
      .min(1)
      .max(100),
  }),
  response: z.object({
    data: z.array(z.object({ refundId: id, status: z.enum(['due', 'done', 'refused']) })),
  }),
})

const ledgerEntry = z.object({
  transactionId: id,
  account: z.string(),
  orderId: id,
  /** Minor units; debits are positive, credits negative. */
  amount: z.int(),
  currency,
  at: instant,
})
export type LedgerEntry = z.infer<typeof ledgerEntry>

export const listLedgerEntries = operation({
  app,
  id: 'listLedgerEntries',
  method: 'GET',
  path: '/v1/ledger-entries',
  summary: 'The double-entry lines of one order',
  access: bookkeeping,
  status: 200,
  query: z.strictObject({ orderId: id }),
  response: z.object({ data: z.array(ledgerEntry) }),
})

export const getLedgerBalance = operation({
  app,
  id: 'getLedgerBalance',
  method: 'GET',
  path: '/v1/ledger-balance',
  summary: 'The balance of each account; all of one currency sum to zero',
  access: bookkeeping,
  status: 200,
  response: z.object({ data: z.array(z.object({ account: z.string(), currency, balance: z.int() })) }),
})

export const paymentsOperations = [
  payOrder,
  listPayments,
  getPayment,
  receiveWebhook,
  inquirePayment,
  demandRefunds,
  demandPartialRefunds,
  listLedgerEntries,
  getLedgerBalance,
] as const

const exampleId = '0192f3a4-5b6c-7d8e-8f90-a1b2c3d4e5f6'
const paymentFact = z.object({ paymentId: id, orderId: id, total })
const factExample = { paymentId: exampleId, orderId: exampleId, total: { amount: 4800, currency: 'USD' } }

export const paymentCaptured = event({
  topic: 'payment.captured',
  publisher: app,
  summary: 'The provider holds the money of an order',
  data: paymentFact,
  key: (data) => data.orderId,
  example: factExample,
})

export const paymentRefunded = event({
  topic: 'payment.refunded',
  publisher: app,
  summary: 'All of a captured payment went back',
  data: paymentFact,
  key: (data) => data.orderId,
  example: factExample,
})

export const paymentPartlyRefunded = event({
  topic: 'payment.partly-refunded',
  publisher: app,
  summary: 'A part of a captured payment went back',
  data: paymentFact.extend({ refundId: id }),
  key: (data) => data.orderId,
  example: { ...factExample, refundId: exampleId, total: { amount: 1200, currency: 'USD' } },
})

export const paymentsEvents = [paymentCaptured, paymentRefunded, paymentPartlyRefunded] as const
