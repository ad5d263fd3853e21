import { fulfilmentOperations } from '@caravan/contracts/fulfilment'
import { invoiceOperations } from '@caravan/contracts/invoices'
import { ordersOperations } from '@caravan/contracts/orders'
import { returnOperations } from '@caravan/contracts/returns'
import { salesOperations } from '@caravan/contracts/sales'
import { staffOrdersOperations } from '@caravan/contracts/staff-orders'
import { inWorker } from '@caravan/service-kit/in-worker'
import { runService } from '@caravan/service-kit/run-service'
import { mapShards } from '@caravan/service-kit/shards'
import { addressSweep } from './address-sweep.ts'
import { createAwaitSettled } from './await-settled.ts'
import { createCarrierWebhook } from './carrier-webhook.ts'
import { catalogCatchUp, promotionsCatchUp } from './catch-up.ts'
import { config } from './config.ts'
import { createFindCodes } from './find-codes.ts'
import { fulfilmentRoutes } from './fulfilment-routes.ts'
import { createFulfilmentStore } from './fulfilment-store.ts'
import { createFulfilments } from './fulfilments.ts'
import { invoiceRoutes } from './invoice-routes.ts'
import { createInvoiceStore } from './invoice-store.ts'
import type { Invoice } from './invoices/invoice.ts'
import { createInvoicingStore } from './invoicing-store.ts'
import { createIssueDocuments, documentSweep } from './issue-documents.ts'
import { lostAnswers } from './lost-answers.ts'
import { lostRefunds } from './lost-refunds.ts'
import { numberOrders } from './number-orders.ts'
import { createOfferStore } from './offer-store.ts'
import { createOrderDocuments } from './order-documents.ts'
import { createOrderNoteStore } from './order-note-store.ts'
import { createOrderSearchStore } from './order-search-store.ts'
import { createOrderStore } from './order-store.ts'
import { createOrders } from './orders.ts'
import { createPaymentWindow } from './payment-window.ts'
import { createPlaceOrder } from './place-order.ts'
import { createPricingStore } from './pricing-store.ts'
import { createPromotionStore } from './promotion-store.ts'
import { createQuoting } from './quoting.ts'
import { createReturnStore } from './return-store.ts'
import { createReturns } from './returns.ts'
import { routes } from './routes.ts'
import { salesCount, salesRoutes } from './sales.ts'
import { createSalesStore } from './sales-store.ts'
import { createSellerStore } from './seller-store.ts'
import { createStaffOrders } from './staff-orders.ts'
import { staffRoutes } from './staff-routes.ts'
import { subscriptions } from './subscriptions.ts'
import { createTerms } from './terms.ts'
import { createReadTerms } from './terms-store.ts'
import { unpaidExpiry } from './unpaid-expiry.ts'

await runService({
  name: 'orders',
  config,
  operations: [
    ...ordersOperations,
    ...fulfilmentOperations,
    ...invoiceOperations,
    ...returnOperations,
    ...staffOrdersOperations,
    ...salesOperations,
  ],
  migrations: new URL('../migrations/', import.meta.url),
  sharded: true,
  build: async ({ shards, db, sidecar, log }) => {
    const invoicing = createInvoicingStore(db)
    const books = mapShards(shards, ({ db, outbox }) => {
      const orders = createOrderStore(db, outbox)
      const fulfilments = createFulfilmentStore(db, outbox, orders)
      const invoices = createInvoiceStore(db, invoicing.newCode)
      return { orders, fulfilments, invoices, sales: createSalesStore(db, fulfilments) }
    })
    const stores = mapShards(books, ({ orders }) => orders)
    const fulfilmentStores = mapShards(books, ({ fulfilments }) => fulfilments)
    const salesStores = mapShards(books, ({ sales }) => sales)
    const orders = createOrders(stores)
    const fulfilments = createFulfilments(fulfilmentStores)
    const receive = createCarrierWebhook(await sidecar.secret('carrier-webhook-secret'), fulfilments, log)
    const issueDocuments = createIssueDocuments(invoicing, log)
    const pdfs = inWorker<Invoice, Uint8Array>(new URL('./invoices/pdf-worker.ts', import.meta.url))
    const searches = mapShards(shards, ({ db }) => createOrderSearchStore(db))
    const notes = mapShards(shards, ({ db }) => createOrderNoteStore(db))
    const offers = createOfferStore(db)
    const window = createPaymentWindow(config.PAYMENT_WINDOW_SECONDS, { sidecar, log })
    const graceSeconds = config.RESERVATION_GRACE_SECONDS
    const bounds = { unpaidOrders: config.MAX_UNPAID_ORDERS, heldUnits: config.MAX_HELD_UNITS }
    const promotions = createPromotionStore(db)
    const termsAt = createTerms(createReadTerms(db))
    const quoting = createQuoting({ orders, offers, termsAt, findCodes: createFindCodes(sidecar) })
    const place = createPlaceOrder({
      ...{ orders, quoting, sidecar, paymentWindow: window.seconds, graceSeconds, bounds },
    })
    const tools = { sidecar, log }
    const returnStores = mapShards(shards, ({ db }) => createReturnStore(db))
    const returns = createReturns({ fulfilments, offers, stores: returnStores, config, tools })
    return {
      routes: [
        ...routes({
          ...{ orders, place, quoting, pricing: createPricingStore(db) },
          settled: createAwaitSettled(orders, log),
        }),
        ...fulfilmentRoutes({ fulfilments, sellers: createSellerStore(db), receive }),
        ...salesRoutes(salesStores),
        ...invoiceRoutes({
          ...{ invoicing, documentsOf: createOrderDocuments(books, issueDocuments), drawPdf: pdfs.call },
        }),
        ...returns.routes,
        ...staffRoutes({ orders, list: createStaffOrders(searches, sidecar), notes, fulfilments }),
      ],
      subscriptions: subscriptions(orders, offers, promotions, fulfilments),
      background: [
        window.refresh,
        unpaidExpiry(stores, tools),
        ...lostAnswers(stores, tools),
        lostRefunds(fulfilmentStores, tools),
        ...returns.background,
        catalogCatchUp(offers, tools),
        promotionsCatchUp(promotions, tools),
        salesCount(salesStores, tools),
        documentSweep(books, issueDocuments, tools),
        { start: () => pdfs.stop },
        numberOrders(searches, tools),
        addressSweep(stores, config.ADDRESS_RETENTION_DAYS, tools),
      ],
    }
  },
})
