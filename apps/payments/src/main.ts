import { orderRefundDue, orderRefundRequested } from '@caravan/contracts/orders'
import { paymentsOperations } from '@caravan/contracts/payments'
import { AppError } from '@caravan/service-kit/errors'
import { runService } from '@caravan/service-kit/run-service'
import { subscription } from '@caravan/service-kit/subscription'
import { config } from './config.ts'
import { createPartialRefundStore } from './partial-refund-store.ts'
import { createPayOrder } from './pay-order.ts'
import { createPaymentStore } from './payment-store.ts'
import { createProvider } from './provider.ts'
import { createResolve } from './resolve.ts'
import { routes } from './routes.ts'
import { settlement } from './settlement.ts'
import { untoldCaptures } from './untold-captures.ts'
import { createUntoldStore } from './untold-store.ts'
import { createWebhook } from './webhook.ts'

await runService({
  name: 'payments',
  config,
  operations: paymentsOperations,
  migrations: new URL('../migrations/', import.meta.url),
  build: async ({ db, sidecar, outbox, log }) => {
    const payments = createPaymentStore(db, outbox)
    const parts = createPartialRefundStore(db, outbox, payments)
    const provider = createProvider(sidecar)
    const resolve = createResolve(payments, provider)
    const pay = createPayOrder(payments, provider, sidecar, log)
    const receive = createWebhook(await sidecar.secret('psp-webhook-secret'), resolve, log)
    const tools = { sidecar, log }
    return {
      routes: routes({ payments, parts, pay, resolve, receive }),
      subscriptions: [
        subscription(orderRefundDue, async ({ paymentId }, { tx }) => {
          const [payment] = await payments.demandRefunds(tx, [paymentId])
          if (payment?.status === 'refund-due' || payment?.status === 'refunded') return
          throw new AppError(
            'conflict',
            'payments/not-captured',
            `Payment ${paymentId} has no money to give back`,
          )
        }),
        subscription(orderRefundRequested, async ({ refundId, paymentId, total: { amount } }, { tx }) => {
          if ((await parts.demand(tx, { id: refundId, paymentId, amount })) !== 'refused') return
          throw new AppError(
            'conflict',
            'payments/not-captured',
            `Payment ${paymentId} has not ${amount} left`,
          )
        }),
      ],
      background: [
        ...settlement(payments, parts, provider, resolve, tools),
        untoldCaptures(createUntoldStore(db), tools),
      ],
    }
  },
})
