import { getInvoicing, getOrderDocument, listOrderDocuments, putInvoicing } from '@caravan/contracts/invoices'
import { AppError } from '@caravan/service-kit/errors'
import { mediaRoute, type Route, route } from '@caravan/service-kit/route'
import type { Issued } from './invoice-store.ts'
import { type Invoice, totalsOf } from './invoices/invoice.ts'
import { ublOf } from './invoices/ubl.ts'
import { ublFault } from './invoices/ubl-fault.ts'
import type { InvoicingStore } from './invoicing-store.ts'
import type { OrderDocuments } from './order-documents.ts'
import { anybodys, type MaySee, ownedBy } from './whose.ts'

export interface InvoiceRouteParts {
  readonly invoicing: InvoicingStore
  readonly documentsOf: OrderDocuments
  readonly drawPdf: (invoice: Invoice) => Promise<Uint8Array>
}

const missing = (detail: string) => new AppError('not-found', 'orders/not-found', detail)

/** Who comes as staff was let in as that. */
const readableBy = (accountId: string, as: 'staff' | undefined): MaySee =>
  as ? anybodys : ownedBy(accountId)

const present = ({ subject, document }: Issued) => {
  const { number, kind, issuedOn, currency } = document
  return {
    ...{ number, kind, issuedOn, currency, total: totalsOf(document).gross },
    ...(kind === 'credit-note' ? { refundId: subject } : {}),
    formats: ublFault(document) ? ['pdf' as const] : ['pdf' as const, 'ubl' as const],
  }
}

export const invoiceRoutes = ({ invoicing, documentsOf, drawPdf }: InvoiceRouteParts): Route[] => [
  route(getInvoicing, () => invoicing.get()),

  route(putInvoicing, ({ body, precondition }) => invoicing.put(body, precondition)),

  route(listOrderDocuments, async ({ caller, params, query }) => ({
    data: (await documentsOf(params.orderId, readableBy(caller.id, query.as))).map(present),
  })),

  mediaRoute(getOrderDocument, async ({ caller, params: { orderId, documentNumber, format }, query }) => {
    const issued = await documentsOf(orderId, readableBy(caller.id, query.as))
    const document = issued.find((each) => each.document.number === documentNumber)?.document
    if (!document) throw missing('This order has no such document')
    if (format === 'pdf') {
      const content = Buffer.from(await drawPdf(document))
      return { type: 'application/pdf', name: `${documentNumber}.pdf`, content }
    }
    const fault = ublFault(document)
    if (fault)
      throw new AppError(
        'not-found',
        'orders/no-e-invoice',
        `EN 16931 has no form for this document: ${fault}`,
      )
    return {
      ...{ type: 'application/xml', name: `${documentNumber}.xml` },
      content: Buffer.from(ublOf(document)),
    }
  }),
]
