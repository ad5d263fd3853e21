import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Product } from '@caravan/contracts/catalog'
import type { Stock } from '@caravan/contracts/inventory'
import type { Order } from '@caravan/contracts/orders'
import type { LedgerEntry, Payment } from '@caravan/contracts/payments'
import { newId } from '@caravan/service-kit/ids'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { type Answer, type Ask, openDoor } from './door.ts'

/** The provider's test cards by meaning. */
export const cards = {
  good: '4242424242424242',
  declined: '4000000000000002',
  insufficientFunds: '4000000000009995',
} as const

/**
 * Knobs of a charge that waits for `released`. Payments waits six seconds for the provider's answer, then for its
 * word, and gives up what the provider has not heard of after half a minute: it is to be released before that.
 */
export const heldCharge = { delayMs: 60_000 }

export interface Shopper {
  readonly id: string
  readonly token: string
  readonly email: string
  readonly password: string
}

export interface Line {
  readonly sku: string
  readonly quantity: number
  readonly unitPrice: { readonly amount: number; readonly currency: string }
}

export interface Coupon {
  /** In minor units of the line's currency. */
  readonly amount: number
  readonly limits?: { readonly uses?: number; readonly usesPerCustomer?: number; readonly budget?: number }
  /** Of the code. */
  readonly uses?: number
}

export const shippingAddress = {
  name: 'Mei Lin',
  line1: '1 Long Road',
  city: 'Xi’an',
  region: 'Shaanxi',
  postalCode: '710000',
  country: 'CN',
}

export interface ShopOptions {
  readonly url: string
  readonly pspUrl: string
  readonly pspAuthorization: string
  readonly operator: { readonly email: string; readonly password: string }
}

const text = (value: string) => ({ en: value, zh: value })

/** The address of a running shop, with what only the people who run it have. */
export const shopOf = (stack: { url: string; pspUrl: string; secrets: Record<string, string> }) =>
  openShop({
    url: stack.url,
    pspUrl: stack.pspUrl,
    pspAuthorization: String(stack.secrets['psp-authorization']),
    operator: {
      email: String(stack.secrets['operator-email']),
      password: String(stack.secrets['operator-password']),
    },
  })

/** What tests do with a shop, each through a public door: the shop's, or the card provider's. */
export const openShop = ({ url, pspUrl, pspAuthorization, operator }: ShopOptions) => {
  const door = openDoor(url)
  const psp = openDoor(pspUrl)

  const ok = <T>(answer: Answer<T>, status = 200): T => {
    assert.equal(answer.status, status, answer.text)
    return answer.body
  }

  /**
   * As a client that wants an answer: 503, a full queue, and 409 while the first try goes on, are asked again, each time
   * twice as long after as the time before, up to what `Retry-After` says. What is asked has its own key, or is the same
   * however often it is done.
   */
  const persistently = <T extends object>(ask: () => Promise<Answer<T>>): Promise<Answer<T>> => {
    let waitMs = 20
    const askAgain = async () => {
      const answer = await ask()
      const code = answer.body && 'code' in answer.body && String(answer.body.code)
      if (answer.status !== 503 && code !== 'idempotency/in-flight' && code !== 'identity/busy') return answer
      await pause(waitMs * Math.random())
      waitMs = Math.min(2 * waitMs, 1000 * Number(answer.headers.get('retry-after') ?? 1))
      return false
    }
    return eventually('an answer that is not "try again"', askAgain, 120_000)
  }

  /** What a test needs before it begins: asked for until it is done. */
  const sure = async <T extends object>(
    method: string,
    path: string,
    ask: Ask = {},
    status = 200,
  ): Promise<T> => {
    const key = method === 'POST' ? randomUUID() : null
    return ok(await persistently(() => door<T>(method, path, { key, ...ask })), status)
  }

  const signIn = async (email: string, password: string): Promise<string> =>
    (await sure<{ accessToken: string }>('POST', '/v1/sessions', { body: { email, password } }, 201))
      .accessToken

  let operatorToken: Promise<string> | undefined
  let goodUntil = 0
  /** A token that is good for some minutes yet. */
  const asOperator = (): Promise<string> => {
    if (!operatorToken || Date.now() > goodUntil) {
      goodUntil = Date.now() + 180_000
      operatorToken = signIn(operator.email, operator.password)
    }
    return operatorToken
  }

  const newShopper = async (): Promise<Shopper> => {
    const password = randomBytes(12).toString('base64url')
    const email = `shopper-${newId()}@example.com`
    const body = { email, password, name: 'Test Shopper' }
    const made = await persistently(() => door<{ id: string }>('POST', '/v1/accounts', { body }))
    const token = await signIn(email, password)
    // A first try that was answered by 503 may have made it.
    const isOwn = made.status === 409
    const { id } = isOwn ? await sure<{ id: string }>('GET', '/v1/me', { token }) : ok(made, 201)
    return { id, email, password, token }
  }

  const stockOf = async (sku: string): Promise<Stock> =>
    sure<Stock>('GET', `/v1/stock/${sku}`, { token: await asOperator() })

  const receive = async (sku: string, delta: number): Promise<void> => {
    const path = `/v1/stock/${sku}/adjustments/${newId()}`
    await sure('PUT', path, { token: await asOperator(), body: { delta, reason: 'test delivery' } })
  }

  const putProduct = async (id: string, content: object): Promise<Product> =>
    sure<Product>('PUT', `/v1/products/${id}`, { token: await asOperator(), body: content })

  /** A product of its own for one test, on the shelf, with a variant for each SKU. */
  const newProduct = async (skus: readonly string[], amount = 1500): Promise<Product> => {
    const token = await asOperator()
    const seller = newId()
    const about = { name: text('Tester'), description: text('Tests.') }
    await sure('PUT', `/v1/sellers/${seller}`, { token, body: about })
    await sure('PUT', '/v1/categories/tests', { token, body: { parent: null, name: text('Tests') } })
    return putProduct(newId(), {
      seller,
      category: 'tests',
      title: text(`Test product ${skus[0]}`),
      description: text('Made by a test.'),
      pictures: [],
      variants: skus.map((sku, index) => ({
        sku,
        name: text(`Variant ${index}`),
        attributes: {},
        price: { amount: amount + index * 100, currency: 'USD' },
        weightGrams: 100,
      })),
      tags: [],
      status: 'on-shelf',
    })
  }

  /** A new product with stock, known to orders: lines ready to be ordered. */
  const newLines = async (stocks: readonly number[], amount?: number): Promise<Line[]> => {
    const mark = randomBytes(5).toString('hex').toUpperCase()
    const skus = stocks.map((_, index) => `T-${mark}-${index}`)
    const { variants } = await newProduct(skus, amount)
    await Promise.all(
      stocks.map((stock, index) => (stock > 0 ? receive(`T-${mark}-${index}`, stock) : undefined)),
    )
    const lines = variants.map(({ sku, price }) => ({ sku, quantity: 1, unitPrice: price }))
    // Orders has its own copy of prices: a wrong price is refused with the right one as soon as it is there.
    await eventually('orders knows the new product', async () => {
      const wrong = lines.map((line) => ({ ...line, unitPrice: { amount: 1, currency: 'USD' } }))
      const body = { items: wrong, shippingAddress }
      const answer = await door('POST', '/v1/orders', { token: await asOperator(), body })
      return answer.body?.code === 'orders/price-changed'
    })
    return lines
  }

  /** `POST /v1/orders`, whatever comes of it. */
  const tryOrder = (
    shopper: Pick<Shopper, 'token'>,
    items: readonly Line[],
    { wishes = {}, ...more }: { key?: string; headers?: Record<string, string>; wishes?: object } = {},
  ) =>
    door<Order & Record<string, unknown>>('POST', '/v1/orders', {
      token: shopper.token,
      body: { items, shippingAddress, ...wishes },
      ...more,
    })

  /** A code that takes a sum off an order of such a line, known to orders. */
  const newCoupon = async (
    { unitPrice: { currency }, ...line }: Line,
    { amount, limits = {}, uses }: Coupon,
  ): Promise<{ promotionId: string; code: string }> => {
    const [token, promotionId] = [await asOperator(), randomUUID()]
    const code = `T-${randomBytes(6).toString('hex').toUpperCase()}`
    const path = `/v1/promotions/${promotionId}`
    await sure('PUT', path, {
      token,
      body: {
        ...{ name: text(`Coupon ${code}`), trigger: 'code', status: 'active', window: { timeZone: 'UTC' } },
        ...{ currency, conditions: {}, effect: { kind: 'amount', amount, of: 'order' }, limits },
        ...{ priority: 0, combination: 'stacked' },
      },
    })
    const own = { status: 'active', ...(uses ? { uses } : {}) }
    await sure('PUT', `${path}/codes/${code}`, { token, body: own })
    const body = { items: [line], destination: { country: shippingAddress.country }, codes: [code] }
    await eventually('orders knows the new coupon', async () => {
      const quote = await door('POST', '/v1/quotes', { token, body })
      return quote.body?.discount === amount
    })
    return { promotionId, code }
  }

  const placeOrder = async (shopper: Pick<Shopper, 'token'>, items: readonly Line[]): Promise<Order> => {
    const key = randomUUID()
    return ok(await persistently(() => tryOrder(shopper, items, { key })), 201)
  }

  /** What the shopper's browser does at the provider. */
  const tokenise = async (number: string = cards.good, sandbox?: object): Promise<string> => {
    const card = { number, expMonth: 12, expYear: new Date().getUTCFullYear() + 2, cvc: '123' }
    const body = { card, ...(sandbox ? { sandbox } : {}) }
    return ok(await psp<{ id: string }>('POST', '/v1/payment-methods', { body }), 201).id
  }

  /** The answer to a payment whose charge the sandbox holds, which it is told not to do any longer. */
  const released = async <T>(paying: Promise<T>): Promise<T> => {
    let answered = false
    const answer = paying.finally(() => {
      answered = true
    })
    answer.catch(() => {}) // Whoever waits for it hears of it.
    // More than once: the charge may not have come there yet.
    await eventually('the payment is answered', async () => {
      ok(await psp('POST', '/sandbox/releases', { headers: { authorization: pspAuthorization } }), 204)
      return answered
    })
    return answer
  }

  /** `POST /v1/orders/:id/payments`, whatever comes of it. */
  const tryPay = (
    shopper: Pick<Shopper, 'token'>,
    orderId: string,
    paymentMethod: string,
    more: { key?: string; headers?: Record<string, string> } = {},
  ) =>
    door<Payment & Record<string, unknown>>('POST', `/v1/orders/${orderId}/payments`, {
      token: shopper.token,
      body: { paymentMethod },
      ...more,
    })

  const pay = async (shopper: Pick<Shopper, 'token'>, orderId: string): Promise<Payment> => {
    const [key, method] = [randomUUID(), await tokenise()]
    return ok(await persistently(() => tryPay(shopper, orderId, method, { key })), 201)
  }

  const cancel = (shopper: Pick<Shopper, 'token'>, orderId: string) =>
    door<Order>('POST', `/v1/orders/${orderId}/cancellation`, { token: shopper.token })

  const orderOf = async (shopper: Pick<Shopper, 'token'>, orderId: string): Promise<Order> =>
    sure<Order>('GET', `/v1/orders/${orderId}`, { token: shopper.token })

  /** Waits until the order has come to rest: confirmed, or cancelled with its money (if any) given back. */
  const settled = (shopper: Pick<Shopper, 'token'>, orderId: string, withinMs?: number): Promise<Order> =>
    eventually(
      `order ${orderId} is settled`,
      async () => {
        const order = await orderOf(shopper, orderId)
        const atRest =
          order.status === 'confirmed' ||
          (order.status === 'cancelled' && (!order.payment || order.payment.status === 'refunded'))
        return atRest && order
      },
      withinMs,
    )

  const ledgerOf = async (orderId: string): Promise<LedgerEntry[]> => {
    const path = `/v1/ledger-entries?orderId=${orderId}`
    return (await sure<{ data: LedgerEntry[] }>('GET', path, { token: await asOperator() })).data
  }

  const ledgerBalance = async (): Promise<number> => {
    const answer = await door<{ data: { balance: number }[] }>('GET', '/v1/ledger-balance', {
      token: await asOperator(),
    })
    return ok(answer).data.reduce((sum, each) => sum + each.balance, 0)
  }

  /** The provider's own books on a payment. */
  const chargesOf = async (
    paymentId: string,
  ): Promise<{ status: string; amount: number; refunded: number }[]> => {
    const headers = { authorization: pspAuthorization }
    return ok(
      await psp<{ data: { status: string; amount: number; refunded: number }[] }>(
        'GET',
        `/v1/charges?reference=${paymentId}`,
        { headers },
      ),
    ).data
  }

  return {
    url,
    door,
    psp,
    pspAuthorization,
    sure,
    ok,
    signIn,
    asOperator,
    newShopper,
    stockOf,
    receive,
    putProduct,
    newLines,
    newProduct,
    newCoupon,
    tryOrder,
    persistently,
    placeOrder,
    tokenise,
    released,
    tryPay,
    pay,
    cancel,
    orderOf,
    settled,
    ledgerOf,
    ledgerBalance,
    chargesOf,
  }
}

export type Shop = ReturnType<typeof openShop>
