import { z } from 'zod'
import { address, keptAddress } from './address.ts'
import { currency, email, id, instant, text } from './common.ts'
import { refundOrder } from './fulfilment.ts'
import { prose } from './line.ts'
import { operation } from './operation.ts'
import { takingBack } from './taking-back.ts'
import { timeZones } from './time-zones.ts'

const app = 'orders'

/** Beside its address, what a seller is known by; `registration` is in the register of companies. */
const identifiers = {
  email: email.optional(),
  vatId: z
    .string()
    .regex(/^[A-Z]{2}[A-Z0-9+*]{2,13}$/)
    .optional()
    .meta({ description: 'With the country’s prefix', examples: ['PL5260250274'] }),
  registration: z
    .string()
    .regex(/^[A-Z0-9][A-Z0-9 ./-]{0,39}$/)
    .optional(),
}

/** Who sells, and what every document says. */
export const invoicingContent = z.strictObject({
  /** Without one nothing is issued; what was sold until then gets its invoice when there is one. */
  seller: z.strictObject({ address, ...identifiers }).optional(),
  /** Whose day is that of a document. */
  timeZone: z.enum(timeZones).meta({ description: 'Of the IANA time zone database' }),
  language: z.enum(['en', 'zh']),
  /** How it was paid, or whatever else has to be said of that. */
  payment: text(500, prose).optional(),
})
export type InvoicingContent = z.infer<typeof invoicingContent>

/** `version` grows with each change; 0 is that of a shop that issues nothing yet. */
export const invoicing = z.object({
  ...invoicingContent.shape,
  seller: z.object({ address: keptAddress, ...identifiers }).optional(),
  version: z.int().min(0),
  updatedAt: instant.optional(),
})
export type Invoicing = z.infer<typeof invoicing>

const finance = { roles: ['finance', 'operator'] } as const

export const getInvoicing = operation({
  app,
  id: 'getInvoicing',
  method: 'GET',
  path: '/v1/invoicing',
  summary: 'What invoices say of the seller',
  access: finance,
  status: 200,
  tagged: true,
  response: invoicing,
})

export const putInvoicing = operation({
  app,
  id: 'putInvoicing',
  method: 'PUT',
  path: '/v1/invoicing',
  summary: 'Replace what invoices say of the seller, from the next one on; takes back what getInvoicing gave',
  access: finance,
  status: 200,
  tagged: true,
  body: takingBack(invoicingContent, invoicing, { moved: ['version', 'updatedAt'] }),
  response: invoicing,
  example: {
    body: {
      seller: {
        address: {
          ...{ name: 'Łucja Żółć', company: 'Karawana Herbat Sp. z o.o.', line1: 'ul. Świętokrzyska 1' },
          ...{ city: 'Łódź', postalCode: '90-001', country: 'PL' },
        },
        vatId: 'PL5260250274',
      },
      timeZone: 'Europe/Warsaw',
      language: 'en',
    },
  },
})

/** A year, which database of orders issued it, and its number there; credit notes count by themselves. */
export const documentNumber = z
  .string()
  .regex(/^(?:C-)?\d{4}-\d{1,4}-\d{6,9}$/)
  .meta({ examples: ['2026-1-000017', 'C-2026-1-000003'] })
export const documentFormat = z.enum(['pdf', 'ubl']).meta({ description: '`ubl`: EN 16931 in UBL 2.1' })
export type DocumentFormat = z.infer<typeof documentFormat>

const issued = z.object({
  number: documentNumber,
  kind: z.enum(['invoice', 'credit-note']),
  issuedOn: z.iso.date(),
  total: z.int().min(0),
  currency,
  /** Of a credit note, the refund. */
  refundId: id.optional(),
  /** Not `ubl` where EN 16931 has no form for what the order says. */
  formats: z.array(documentFormat),
})

/** One’s own orders; with `as=staff` anybody’s. */
const reading = {
  query: z.strictObject({ as: z.literal('staff').optional() }),
  privileged: { query: 'as', by: refundOrder },
} as const
const problems = { 'orders/not-found': 404 } as const

export const listOrderDocuments = operation({
  app,
  id: 'listOrderDocuments',
  method: 'GET',
  path: '/v1/orders/{orderId}/documents',
  summary: 'The invoice of a confirmed order, and a credit note for each refund that is done',
  access: 'member',
  status: 200,
  params: z.strictObject({ orderId: id }),
  ...reading,
  response: z.object({ data: z.array(issued) }),
  problems,
})

export const getOrderDocument = operation({
  app,
  id: 'getOrderDocument',
  method: 'GET',
  path: '/v1/orders/{orderId}/documents/{documentNumber}/{format}',
  summary: 'An invoice or credit note, for people or for machines',
  access: 'member',
  status: 200,
  media: ['application/pdf', 'application/xml'],
  params: z.strictObject({ orderId: id, documentNumber, format: documentFormat }),
  ...reading,
  problems: { ...problems, 'orders/no-e-invoice': 404 },
})

export const invoiceOperations = [getInvoicing, putInvoicing, listOrderDocuments, getOrderDocument] as const
