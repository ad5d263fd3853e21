import assert from 'node:assert/strict'
import { newId } from '@caravan/service-kit/ids'
import { shippingAddress } from '../support/shop.ts'
import { stack } from '../support/stack.ts'
import type { Input } from './ask.ts'

const text = (value: string) => ({ en: value, zh: value })
const sku = `CONTRACT-${newId().slice(-12).toUpperCase()}`
const productId = newId()
const orderId = newId()
const cartId = `guest-${'0'.repeat(32)}`
const staged = { params: { orderId } }
const ofReturn = { params: { orderId, returnId: newId() } }
const ofPromotion = { params: { promotionId: productId } }
const ofCode = { params: { promotionId: productId, code: 'CONTRACT' } }
/** A promotion of what nobody sells, so that no order of another test meets it, without any limit. */
export const promotionContent = {
  ...{ name: text('Contract'), trigger: 'code', status: 'active', window: { timeZone: 'UTC' } },
  ...{
    currency: 'EUR',
    conditions: { items: { skus: ['CONTRACT-NOTHING'] } },
    effect: { kind: 'percent', basisPoints: 1000, of: 'order' },
  },
  ...{ priority: 0, combination: 'stacked', limits: {} },
}
const parcel = { lines: [{ sku, quantity: 1 }], carrier: 'dhl', trackingNumber: 'JJD000390007882' }

/**
 * A valid request for each operation that has an input, about things that are this run's own or that nobody has. Sent as it
 * is, it succeeds or meets one of the problems that the contract lists.
 */
const samples: Readonly<Record<string, Input>> = {
  createAccount: {
    body: { email: `contract-${newId()}@example.com`, password: newId(), name: 'Contract' },
  },
  createSession: { body: { email: `nobody-${newId()}@example.com`, password: 'a wrong passphrase' } },
  completeOutsideSignIn: { body: { answer: 'code=x&state=y', binding: 'z' } },
  refreshSession: { body: { refreshToken: 'a'.repeat(43) } },
  endSession: { params: { sessionId: newId() } },
  putMe: { body: { name: 'Contract', locale: 'zh' } },
  confirmAddress: { body: { token: 'not a token' } },
  changePassword: { body: { password: 'a wrong passphrase', newPassword: newId() } },
  requestPasswordReset: { body: { email: 'nobody@example.com' } },
  resetPassword: { body: { token: 'not a token', newPassword: newId() } },
  putAddress: { params: { addressId: newId() }, body: shippingAddress },
  getAddress: { params: { addressId: newId() } },
  deleteAddress: { params: { addressId: newId() } },
  inquireAccount: { body: { email: 'nobody@example.com' } },
  closeAccount: { body: { password: 'a wrong passphrase' } },
  createClient: { body: { name: 'contract' } },
  deleteClient: { params: { clientId: newId() } },
  listAuditEntries: { query: { limit: '3' } },
  issueAnonymousToken: { body: { clientSecret: String(stack.secrets['gateway-client-secret']) } },

  listRules: { query: { limit: '3' } },
  putRule: {
    params: { ruleId: 'contract.nothing' },
    body: { role: 'shopper', effect: 'allow', method: 'GET', path: '/v1/nothing' },
  },
  getRule: { params: { ruleId: 'contract.none' } },
  deleteRule: { params: { ruleId: 'contract.none' } },
  listRoles: { query: { limit: '3' } },
  putRole: { params: { role: 'contract-role' }, body: { parents: ['seller'] } },
  getRole: { params: { role: 'contract-none' } },
  deleteRole: { params: { role: 'contract-none' } },
  listGrants: { params: { accountId: newId() } },
  putGrant: { params: { accountId: newId(), role: 'seller' } },
  deleteGrant: { params: { accountId: newId(), role: 'seller' } },
  listPublicRoutes: { query: { limit: '3' } },
  putPublicRoute: { params: { operationId: 'getProduct' } },
  deletePublicRoute: { params: { operationId: 'createSession' } },
  listBans: { query: { limit: '3' } },
  createBan: { body: { kind: 'account', subject: newId(), reason: 'A test of the contract' } },
  deleteBan: { params: { banId: 'contract-none' } },
  listAccessChanges: { query: { since: '0' } },
  decideAccess: { body: { account: newId(), issuedAt: 1, operationId: 'listOrders' } },

  listProducts: { query: { limit: '3' } },
  getProduct: { params: { productId } },
  searchProducts: { query: { q: 'tea', limit: '3' } },
  listProductChanges: { query: { limit: '3' } },
  findSkus: { query: { skus: sku } },
  getCategory: { params: { slug: 'contract-none' } },
  listSellers: { query: { limit: '3' } },
  getSeller: { params: { sellerId: newId() } },
  putProduct: {
    params: { productId },
    body: {
      ...{ seller: newId(), category: 'contract', title: text('Contract'), description: text('A test.') },
      ...{ pictures: [], tags: [], status: 'off-shelf' },
      variants: [
        {
          ...{ sku, name: text('One'), attributes: {}, weightGrams: 1 },
          price: { amount: 100, currency: 'USD' },
        },
      ],
    },
  },
  putCategory: { params: { slug: 'contract' }, body: { parent: null, name: text('Contract') } },
  putSeller: {
    params: { sellerId: productId },
    body: { name: text('Contract'), description: text('A test.') },
  },

  getAvailability: { query: { skus: sku } },
  getStock: { params: { sku } },
  adjustStock: {
    params: { sku, adjustmentId: newId() },
    body: { delta: 1, reason: 'A test of the contract' },
  },
  reserve: { body: { orderId, items: [{ sku, quantity: 1000 }], ttlSeconds: 60 } },
  sellUnits: { body: { saleId: newId(), orderId, items: [{ sku, quantity: 1000 }] } },
  // One that nobody paid would be told to orders as failed.
  sellReserved: { body: { orders: [] } },

  getCart: { params: { cartId } },
  addItem: { params: { cartId }, body: { sku, quantity: 1 } },
  setItem: { params: { cartId, sku }, body: { quantity: 1 } },
  removeItem: { params: { cartId, sku } },
  mergeCart: { body: { guestCartId: cartId } },

  placeOrder: {
    body: {
      items: [{ sku, quantity: 1, unitPrice: { amount: 100, currency: 'USD' } }],
      shippingAddress,
    },
  },
  createQuote: { body: { items: [{ sku, quantity: 1 }], destination: { country: 'CN' } } },
  // As a shop begins: it changes nothing for others' orders.
  putPricing: { body: { markets: [], taxZones: [] } },
  listOrders: { query: { limit: '3' } },
  getOrder: staged,
  cancelOrder: staged,
  inquireOrder: { body: { orderId, accountId: newId() } },
  inquireOrders: { body: { orderIds: [orderId] } },
  getFulfilment: staged,
  shipOrder: { ...staged, body: parcel },
  cancelLines: { ...staged, body: { lines: parcel.lines } },
  refundOrder: { ...staged, body: { delivery: true } },
  requestReturn: { ...staged, body: { lines: parcel.lines, reason: 'unwanted' } },
  cancelReturn: ofReturn,
  decideReturn: { ...ofReturn, body: { decision: 'approved' } },
  receiveReturn: { ...ofReturn, body: { condition: 'resellable' } },
  listReturns: { query: { limit: '3' } },
  addSellerAccount: { params: { sellerId: newId() }, body: { accountId: newId() } },
  removeSellerAccount: { params: { sellerId: newId(), accountId: newId() } },
  listSellerOrders: { query: { limit: '3' } },
  shipSellerOrder: { ...staged, body: parcel },
  listStaffOrders: { query: { limit: '3', email: 'nobody@example.com' } },
  exportStaffOrders: { query: { sku } },
  getStaffOrder: staged,
  getOrderTimeline: staged,
  addOrderNote: { ...staged, body: { text: 'A test of the contract' } },
  listOrderNotes: { ...staged, query: { limit: '3' } },
  receiveCarrierWebhook: { params: { carrier: 'dhl' }, body: { status: 'delivered' } },
  putInvoicing: { body: { timeZone: 'UTC', language: 'en' } },
  listSales: { query: { by: 'sku', from: '2026-01-01', until: '2026-12-31', limit: '3' } },
  listPromotionSales: { query: { from: '2026-01-01', until: '2026-12-31', limit: '3' } },
  listOrderDocuments: staged,
  getOrderDocument: { params: { orderId, documentNumber: '2026-1-000001', format: 'pdf' } },
  recordCaptures: { body: { payments: [{ paymentId: newId(), orderId }] } },

  payOrder: { ...staged, body: { paymentMethod: 'pm_contract' } },
  listPayments: staged,
  getPayment: { params: { paymentId: orderId } },
  receiveProviderWebhook: { body: {} },
  inquirePayment: { body: { orderId } },
  demandPartialRefunds: { body: { refunds: [{ refundId: newId(), paymentId: newId(), amount: 1 }] } },
  demandRefunds: { body: { paymentIds: [newId()] } },
  listLedgerEntries: { query: { orderId } },

  putPromotion: { ...ofPromotion, body: promotionContent },
  getPromotion: ofPromotion,
  listPromotions: { query: { limit: '3' } },
  putCode: { ...ofCode, body: { status: 'paused' } },
  getCode: ofCode,
  deleteCode: ofCode,
  listCodes: { ...ofPromotion, query: { limit: '3' } },
  exportCodes: ofPromotion,
  makeCodes: { ...ofPromotion, body: { count: 1 } },
  listCodeBatches: { ...ofPromotion, query: { limit: '3' } },
  getCodeBatch: { params: { promotionId: productId, batchId: newId() } },
  listPromotionChanges: { query: { limit: '3' } },
  inquireCodes: { body: { customer: newId(), codes: ['CONTRACT-NONE'] } },
  redeem: {
    body: {
      ...{ orderId, customer: newId(), ttlSeconds: 60 },
      uses: [{ promotionId: newId(), version: 1, amount: 100 }],
    },
  },
}

export const sampleOf = ({ id, path }: { id: string; path: string }): Input =>
  samples[id] ?? (path.includes('{eventId}') ? { params: { eventId: newId() } } : {})

const others: Readonly<Record<string, object>> = {
  placeOrder: { shippingAddress: { ...shippingAddress, name: 'Another' } },
  payOrder: { paymentMethod: 'pm_another' },
  makeCodes: { count: 2 },
  shipOrder: { carrier: 'another' },
  cancelLines: { lines: [{ sku, quantity: 2 }] },
  refundOrder: { amount: 10 },
  requestReturn: { reason: 'damaged' },
  shipSellerOrder: { carrier: 'another' },
  addOrderNote: { text: 'Another' },
}

/** Another valid request for an operation that takes an idempotency key. */
export const otherThan = ({ id }: { id: string }, sample: Input): Input => ({
  ...sample,
  body: { ...(sample.body as object), ...(others[id] ?? assert.fail(`no other request for ${id}`)) },
})
