import type { Check } from './check.ts'

/** Confirmed orders that say what they cost; those from before there were quotes get no documents. */
const sold = `orders.orders o WHERE o.status = 'confirmed' AND o.quote IS NOT NULL`

/** I7: documents, number by number and to the cent. */
export const invoiceChecks: readonly Check[] = [
  {
    invariant: 'I7',
    check: 'numbers of invoices and credit notes have no gap',
    counts: 'SELECT COUNT(*) FROM orders.invoices',
    finds: [
      `SELECT CONCAT('series ', s.series, ': ', s.issued, ' are issued, there are ', COUNT(i.position), ' up to ', COALESCE(MAX(i.position), 0)) AS what
       FROM orders.invoice_series s LEFT JOIN orders.invoices i ON i.series = s.series
       GROUP BY s.series, s.issued HAVING COUNT(i.position) <> s.issued OR COALESCE(MAX(i.position), 0) <> s.issued`,
      `SELECT CONCAT('document ', series, '-', position, ' says that it is ', COALESCE(number, 'nothing')) AS what FROM audit_documents
       WHERE NOT COALESCE(number = CONCAT(series, '-', LPAD(position, 6, '0')), FALSE)`,
    ],
  },
  {
    invariant: 'I7',
    check: 'an invoice is of what its order cost, a credit note of what went back',
    counts: 'SELECT COUNT(*) FROM audit_documents',
    finds: [
      `SELECT CONCAT(d.kind, ' ', d.number, ' is of ', d.gross, ', order ', d.order_id, ' of ', COALESCE(o.total, 'nothing')) AS what
       FROM audit_documents d LEFT JOIN orders.orders o ON o.id = d.order_id AND o.status = 'confirmed'
       WHERE d.kind = 'invoice' AND NOT COALESCE(d.gross = o.total AND d.subject = o.id, FALSE)`,
      `SELECT CONCAT(d.kind, ' ', d.number, ' of order ', d.order_id, ' is of ', d.gross, ', the refund of ', COALESCE(r.amount, 'nothing'), ', which is ', COALESCE(r.status, 'not there')) AS what
       FROM audit_documents d LEFT JOIN audit_parts r ON r.id = d.subject AND r.order_id = d.order_id
       WHERE d.kind <> 'invoice' AND NOT COALESCE(d.gross = r.amount AND r.status = 'done', FALSE)`,
      `SELECT CONCAT(d.kind, ' ', d.number, ' corrects ', COALESCE(d.corrects, 'nothing'), ', the invoice of its order is ', COALESCE(i.number, 'not there')) AS what
       FROM audit_documents d LEFT JOIN audit_documents i ON i.order_id = d.order_id AND i.kind = 'invoice'
       WHERE d.kind <> 'invoice' AND NOT COALESCE(d.corrects = i.number, FALSE)`,
    ],
  },
  {
    invariant: 'I7',
    check: 'every confirmed order has its invoice, every refund that is done its credit note, or it is due',
    counts: `SELECT (SELECT COUNT(*) FROM ${sold}) + (SELECT COUNT(*) FROM audit_parts WHERE status = 'done')`,
    finds: [
      `SELECT CONCAT('order ', o.id, ' has no invoice, and none is due') AS what FROM ${sold}
         AND NOT EXISTS (SELECT 1 FROM orders.invoices i WHERE i.subject = o.id)
         AND NOT EXISTS (SELECT 1 FROM orders.documents_due d WHERE d.subject = o.id)`,
      `SELECT CONCAT('refund ', r.id, ' of order ', r.order_id, ' has no credit note, and none is due') AS what
       FROM audit_parts r JOIN orders.orders o ON o.id = r.order_id AND o.quote IS NOT NULL
       WHERE r.status = 'done' AND NOT EXISTS (SELECT 1 FROM orders.invoices i WHERE i.subject = r.id)
         AND NOT EXISTS (SELECT 1 FROM orders.documents_due d WHERE d.subject = r.id)`,
    ],
  },
]
