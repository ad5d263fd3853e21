import { inLanguage } from '@caravan/contracts/common'
import type { Invoicing } from '@caravan/contracts/invoices'
import { type Background, everyAsLeader } from '@caravan/service-kit/background'
import type { Tools } from '@caravan/service-kit/run-service'
import { inEach, type Sharded } from '@caravan/service-kit/shards'
import type { Due } from './due-store.ts'
import type { Fulfilled, FulfilmentStore } from './fulfilment-store.ts'
import type { Draft, InvoiceStore } from './invoice-store.ts'
import { contradiction, type Invoice, type Unnumbered } from './invoices/invoice.ts'
import { creditNoteOf, invoiceOf } from './invoices/of-quote.ts'
import { words } from './invoices/words.ts'
import type { InvoicingStore } from './invoicing-store.ts'
import type { OrderStore } from './order-store.ts'

/** What one database says of its orders. */
export interface OrderBooks {
  readonly orders: OrderStore
  readonly fulfilments: FulfilmentStore
  readonly invoices: InvoiceStore
}

type Settings = Invoicing & { readonly seller: NonNullable<Invoicing['seller']> }

const atOnce = 100
/** Seconds until what could not be written is tried again. */
const pauseSeconds = 600

const particularsOf = ({ order }: Fulfilled, { seller, language, payment }: Settings) => {
  const { address, ...identifiers } = seller
  const { phone: _, ...party } = address
  const { phone: __, ...buyer } = order.shippingAddress
  const said = payment && inLanguage(payment, language)
  return {
    ...{ order: order.id, language, seller: { ...party, ...identifiers }, buyer },
    ...(said ? { payment: said } : {}),
  }
}

/** Throws where there is nothing to write it of. */
const documentOf = (
  { subject, orderId }: Due,
  fulfilled: Fulfilled | undefined,
  settings: Settings,
  corrects: Invoice | undefined,
): Unnumbered => {
  const quote = fulfilled?.order.quote
  if (!fulfilled || !quote) throw new Error('no confirmed order with a quote')
  const particulars = particularsOf(fulfilled, settings)
  if (subject === orderId) return invoiceOf(quote, particulars)
  const refund = fulfilled.fulfilment.refunds.find(({ id }) => id === subject)
  if (!refund || !corrects) throw new Error(refund ? 'no invoice yet' : 'no such refund')
  const { number, issuedOn } = corrects
  return creditNoteOf(quote, refund.part, {
    ...particulars,
    corrects: { number, issuedOn },
    reason: words[particulars.language].reasons[refund.reason],
  })
}

/**
 * Issues what is due, invoices before the credit notes that correct them; nothing while there is no seller. What cannot be
 * written is an error of the shop's own: it waits, and keeps no other document from its number.
 */
export const createIssueDocuments = (invoicing: InvoicingStore, log: Tools['log']) => {
  const issue = async ({ invoices, fulfilments }: OrderBooks, due: readonly Due[]): Promise<void> => {
    const { seller, ...settings } = await invoicing.get()
    if (!seller || due.length === 0) return
    const orderIds = [...new Set(due.map(({ orderId }) => orderId))]
    const found = new Map((await fulfilments.findAll(orderIds)).map((each) => [each.order.id, each]))
    const [ofOrders, ofRefunds] = [true, false].map((wanted) =>
      due.filter(({ subject, orderId }) => (subject === orderId) === wanted),
    ) as [Due[], Due[]]
    for (const some of [ofOrders, ofRefunds]) {
      const corrected = await invoices.ofSubjects(some === ofRefunds ? orderIds : [])
      const faulty: Due[] = []
      const drafts = some.flatMap((each): Draft[] => {
        try {
          const { orderId } = each
          const parts = [{ seller, ...settings }, corrected.get(orderId)] as const
          const document = documentOf(each, found.get(orderId), ...parts)
          const fault = contradiction(document)
          if (fault) throw new Error(fault)
          return [{ ...each, document }]
        } catch (error) {
          log.error(
            { err: error, order_id: each.orderId, subject: each.subject },
            'a document cannot be issued',
          )
          faulty.push(each)
          return []
        }
      })
      await invoices.issue(drafts, settings.timeZone)
      await invoices.postpone(faulty, pauseSeconds)
    }
  }

  const hasSeller = async () => (await invoicing.get()).seller !== undefined
  return { issue, hasSeller }
}

export type IssueDocuments = ReturnType<typeof createIssueDocuments>

/** Issues what nobody has asked for yet. Two leaders at once do no harm: what has a number keeps it. */
export const documentSweep = (
  books: Sharded<OrderBooks>,
  { issue, hasSeller }: IssueDocuments,
  tools: Tools,
): Background =>
  everyAsLeader(5000, 'document-sweep', tools, async () => {
    if (!(await hasSeller())) return
    await inEach(books, async (each) => {
      for (;;) {
        const due = await each.invoices.due(atOnce)
        await issue(each, due)
        if (due.length < atOnce) return
      }
    })
  })
