import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { Cart } from '@caravan/contracts/carts'
import type { Product, ProductSummary } from '@caravan/contracts/catalog'
import { inLanguage } from '@caravan/contracts/common'
import { decimalsOf } from '@caravan/contracts/price'
import { shippingAddress } from './support/shop.ts'
import { shop } from './support/stack.ts'

/** The main job, step by step, against a running shop. Exit 0 only if stock, order, payment and ledger agree. */

const began = performance.now()
const { door } = shop

const step = async <T>(
  name: string,
  work: () => Promise<T>,
  tell: (result: T) => string = () => '',
): Promise<T> => {
  const start = performance.now()
  const result = await work()
  const ms = (performance.now() - start).toFixed(0).padStart(5)
  console.log(`${ms} ms  ${name.padEnd(34)} ${tell(result)}`)
  return result
}

const expect = <T>(answer: { status: number; body: T; text: string }, status: number): T => {
  assert.equal(answer.status, status, answer.text)
  return answer.body
}

const money = (minor: number, currency: string): string =>
  new Intl.NumberFormat('en', { style: 'currency', currency }).format(minor / 10 ** decimalsOf(currency))

const email = `demo-${randomBytes(6).toString('hex')}@example.com`
const password = randomBytes(12).toString('base64url')

const account = await step(
  'registers a shopper',
  async () =>
    expect(
      await door<{ id: string }>('POST', '/v1/accounts', { body: { email, password, name: 'Demo' } }),
      201,
    ),
  ({ id }) => id,
)
const token = await step('signs in', () => shop.signIn(email, password))

const found = await step(
  'searches for “gaiwan”',
  async () => expect(await door<{ data: ProductSummary[] }>('GET', '/v1/search?q=gaiwan'), 200).data,
  (data) => `${data.length} products, first: ${Object.values(data[0]?.title ?? {}).join(' · ')}`,
)
assert.ok(found.length > 0, 'the search found nothing; has the shop been seeded?')

/** The first product found of which two variants are in stock. */
const choose = async () => {
  for (const { id } of found) {
    const product = expect(await door<Product>('GET', `/v1/products/${id}`), 200)
    const skus = product.variants.map((variant) => variant.sku).join(',')
    const stock = expect(
      await door<{ data: { sku: string; available: number }[] }>('GET', `/v1/availability?skus=${skus}`),
      200,
    )
    const available = new Map(stock.data.map((each) => [each.sku, each.available]))
    const variants = product.variants.filter((variant) => (available.get(variant.sku) ?? 0) >= 2).slice(0, 2)
    if (variants.length === 2) return { product, variants }
  }
  throw new Error('no product found has two variants in stock; npm run reset begins anew')
}
const { variants } = await step('opens a product with two variants', choose, ({ product }) =>
  inLanguage(product.title, 'en'),
)

const before = await Promise.all(variants.map((variant) => shop.stockOf(variant.sku)))
for (const { sku, name } of variants) {
  await step(
    'adds a variant to the cart',
    async () =>
      expect(await door<Cart>('POST', '/v1/carts/mine/items', { token, body: { sku, quantity: 1 } }), 200),
    (cart) => `${sku} (${inLanguage(name, 'en')}), ${cart.lines.length} in the cart`,
  )
}

const cart = expect(await door<Cart>('GET', '/v1/carts/mine', { token }), 200)
const items = cart.lines.map(({ sku, quantity }) => {
  const price = variants.find((variant) => variant.sku === sku)?.price
  assert.ok(price, `${sku} is in the cart and was not put there`)
  return { sku, quantity, unitPrice: price }
})
const order = await step(
  'checks out',
  async () => expect(await shop.tryOrder({ token }, items), 201),
  (placed) => `order ${placed.id}, ${money(placed.total, placed.currency)}, pay before ${placed.payBefore}`,
)
assert.equal(
  order.total,
  items.reduce((sum, item) => sum + item.quantity * item.unitPrice.amount, 0),
)

const method = await step('gives the card to the provider', () => shop.tokenise())
const payment = await step(
  'pays',
  async () => expect(await shop.tryPay({ token }, order.id, method), 201),
  ({ id, status }) => `payment ${id}, ${status}`,
)
const end = await step(
  'waits until it is confirmed',
  () => shop.settled({ token }, order.id),
  ({ status }) => status,
)

await step(
  'stock, order, payment, ledger agree',
  async () => {
    assert.equal(end.status, 'confirmed')
    assert.equal(end.payment?.id, payment.id)
    for (const [index, { sku }] of variants.entries()) {
      const was = before[index]
      const is = await shop.stockOf(sku)
      assert.ok(was)
      assert.equal(is.received, is.available + is.reserved + is.sold, sku)
      assert.ok(is.sold >= was.sold + 1, `${sku} was not sold`)
    }
    const charges = await shop.chargesOf(payment.id)
    assert.deepEqual(
      charges.map(({ status, amount, refunded }) => ({ status, amount, refunded })),
      [{ status: 'captured', amount: order.total, refunded: 0 }],
    )
    const ledger = await shop.ledgerOf(order.id)
    assert.deepEqual(ledger.map(({ account: name, amount }) => `${name} ${amount}`).sort(), [
      `customers ${-order.total}`,
      `provider ${order.total}`,
    ])
    assert.equal(await shop.ledgerBalance(), 0)
    return account
  },
  () => 'yes',
)

console.log(`\nhistory of order ${order.id}, to ${shippingAddress.city}`)
for (const { what, at } of end.history) console.log(`  ${at}  ${what}`)
console.log(`\nconfirmed ${((performance.now() - began) / 1000).toFixed(2)} s after the first step`)
