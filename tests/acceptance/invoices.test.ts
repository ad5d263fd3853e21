import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { InvoicingContent, listOrderDocuments } from '@caravan/contracts/invoices'
import type { Order } from '@caravan/contracts/orders'
import type { PricingContent } from '@caravan/contracts/pricing'
import { eventually } from '@caravan/service-kit/testing/eventually'
import type { z } from 'zod'
import { setPricing } from '../support/pricing.ts'
import type { Shopper } from '../support/shop.ts'
import { mint, shop, stack } from '../support/stack.ts'

type Documents = z.infer<NonNullable<typeof listOrderDocuments.response>>

const warsaw = {
  ...{ name: 'Łucja Żółć', company: 'Karawana Herbat', line1: 'ul. Świętokrzyska 1', city: 'Łódź' },
  ...{ postalCode: '90-001', country: 'PL' as const },
}
const content: InvoicingContent = {
  ...{ seller: { address: warsaw, vatId: 'PL5260250274', registration: '0000123456' } },
  ...{ timeZone: 'Europe/Warsaw', language: 'en', payment: { en: 'Paid by card' } },
}
const market: PricingContent['markets'][number] = {
  ...{ currency: 'USD', prices: 'gross', rounding: 'order' },
  deliveryZones: [
    {
      places: [{ country: 'PL' }],
      methods: [
        {
          ...{ id: 'post', name: { en: 'Post' }, taxClass: 'standard', by: 'items' },
          ...{ brackets: [{ price: 700 }], workingDays: { least: 2, most: 4 } },
        },
      ],
    },
  ],
}
// Poland's VAT, art. 41 and 146ef of the act on goods and services tax.
const taxZones: PricingContent['taxZones'] = [
  {
    places: [{ country: 'PL' }],
    rates: [{ taxClass: 'standard', name: { en: 'VAT 23 %' }, ratePpm: 230_000 }],
  },
]

const { sure, door } = shop
const invoicing = async (body: InvoicingContent) =>
  sure('PUT', '/v1/invoicing', { token: await shop.asOperator(), body })
before(() => invoicing(content))
after(async () => {
  await setPricing(shop)
  await invoicing({ timeZone: 'UTC', language: 'en' })
})

/** A confirmed order of three, each 19.99, sent for 7.00. */
const bought = async (): Promise<{ shopper: Pick<Shopper, 'id' | 'token'>; order: Order }> => {
  await setPricing(shop)
  const items = (await shop.newLines([3], 1999)).map((line) => ({ ...line, quantity: 3 }))
  await setPricing(shop, [market], taxZones)
  const shopper = mint.member()
  const body = {
    ...{ items, shippingAddress: { ...warsaw, name: '王小明' }, deliveryMethod: 'post' },
    total: { amount: 6697, currency: 'USD' },
  }
  const placed = await sure<Order>('POST', '/v1/orders', { token: shopper.token, body }, 201)
  await shop.pay(shopper, placed.id)
  const order = await shop.settled(shopper, placed.id)
  assert.equal(order.status, 'confirmed')
  return { shopper, order }
}

const path = ({ id }: Pick<Order, 'id'>) => `/v1/orders/${id}/documents`
const documentsOf = async ({ shopper, order }: Awaited<ReturnType<typeof bought>>) =>
  (await sure<Documents>('GET', path(order), { token: shopper.token })).data
const file = async (where: string, token: string) => {
  // The first one is long in the making, on a busy machine longer than the gateway waits.
  const response = await eventually(`${where} is answered`, async () => {
    const answer = await fetch(`${stack.url}${where}`, { headers: { authorization: `Bearer ${token}` } })
    return answer.status !== 503 && answer
  })
  const bytes = Buffer.from(await response.arrayBuffer())
  const header = (name: string) => response.headers.get(name)
  return { status: response.status, type: header('content-type'), name: header('content-disposition'), bytes }
}

test('a confirmed order has an invoice of what it cost, for people and for machines', async () => {
  const sale = await bought()
  const [told, ...more] = await documentsOf(sale)
  assert.deepEqual(more, [])
  assert.partialDeepStrictEqual(told, {
    ...{ kind: 'invoice', total: 6697, currency: 'USD', formats: ['pdf', 'ubl'] },
  })
  const number = String(told?.number)
  const pdf = await file(`${path(sale.order)}/${number}/pdf`, sale.shopper.token)
  assert.deepEqual(
    [pdf.status, pdf.type, pdf.name],
    [200, 'application/pdf', `attachment; filename="${number}.pdf"`],
  )
  assert.match(pdf.bytes.toString('latin1'), /^%PDF-1\.7[\s\S]{5000,}%%EOF\s*$/)
  const ubl = await file(`${path(sale.order)}/${number}/ubl`, sale.shopper.token)
  assert.deepEqual([ubl.status, ubl.type], [200, 'application/xml'])
  const xml = ubl.bytes.toString()
  assert.ok(xml.includes(`<cbc:ID>${number}</cbc:ID>`))
  // 23 % of all of it: 66.97 = 54.45 + 12.52.
  assert.match(xml, /<cac:TaxTotal>\s*<cbc:TaxAmount currencyID="USD">12\.52</)
  assert.match(xml, /<cbc:TaxInclusiveAmount currencyID="USD">66\.97</)
  assert.match(xml, /王小明/)
  assert.deepEqual(await documentsOf(sale), [told])
})

test('a refund that is done has a credit note of its sum, which names the invoice', async () => {
  const sale = await bought()
  const staff = { token: await shop.asOperator() }
  const body = { lines: [{ sku: sale.order.lines[0]?.sku, quantity: 1 }] }
  await sure('POST', `/v1/orders/${sale.order.id}/refunds`, { ...staff, body }, 201)
  const [invoice, note] = await eventually('there is a credit note', async () => {
    const all = await documentsOf(sale)
    return all.length === 2 && all
  })
  assert.partialDeepStrictEqual(note, { kind: 'credit-note', total: 1999, formats: ['pdf', 'ubl'] })
  const { refunds } = await sure<{ refunds: { id: string }[] }>(
    'GET',
    `/v1/orders/${sale.order.id}/fulfilment`,
    { token: sale.shopper.token },
  )
  assert.equal(note?.refundId, refunds[0]?.id)
  const xml = (await file(`${path(sale.order)}/${note?.number}/ubl`, sale.shopper.token)).bytes.toString()
  assert.match(
    xml,
    new RegExp(`<CreditNote[\\s\\S]*<cac:InvoiceDocumentReference>\\s*<cbc:ID>${invoice?.number}<`),
  )
  assert.match(xml, /<cbc:TaxInclusiveAmount currencyID="USD">19\.99</)
})

test('documents are for the order’s owner, and for staff who come as staff', async () => {
  const { shopper, order } = await bought()
  const [told] = await documentsOf({ shopper, order })
  const other = mint.member().token
  const operator = await shop.asOperator()
  const answers = async (where: string) => {
    const asked: [string | undefined, string][] = [
      ...[shopper.token, other, operator, undefined].map((token): [typeof token, string] => [token, where]),
      ...[operator, other].map((token): [string, string] => [token, `${where}?as=staff`]),
    ]
    return Promise.all(
      asked.map(async ([token, at]) => {
        const ask = () => door('GET', at, token ? { token } : {})
        const { status, body } = await shop.persistently(ask)
        return status === 200 ? '200' : `${status} ${body?.code}`
      }),
    )
  }
  const expected = [
    ...['200', '404 orders/not-found', '404 orders/not-found', '401 auth/sign-in-needed'],
    ...['200', '403 auth/forbidden'],
  ]
  assert.deepEqual(await answers(path(order)), expected)
  assert.deepEqual(await answers(`${path(order)}/${told?.number}/ubl`), expected)
  const { order: another, shopper: owner } = await bought()
  const mixed = await file(`${path(another)}/${told?.number}/pdf`, owner.token)
  assert.equal(mixed.status, 404)
})

test('what EN 16931 has no form for is a PDF alone', async () => {
  await invoicing({ ...content, seller: { address: warsaw } })
  const sale = await bought()
  const [told] = await documentsOf(sale)
  assert.deepEqual(told?.formats, ['pdf'])
  const ask = () => door('GET', `${path(sale.order)}/${told?.number}/ubl`, { token: sale.shopper.token })
  const { status, body } = await shop.persistently(ask)
  assert.deepEqual([status, body?.code], [404, 'orders/no-e-invoice'])
  assert.match(String(body?.detail), /BR-S-02/)
})
