import { documented, documentSums, documentsDue, figures, gaps } from './check-names.ts'
import type { Story } from './sample-story.ts'
import { type Case, nobody, type Spoil } from './spoil.ts'

export const ofInvoices = ({ first, sent }: Story, { sql }: Spoil): Case[] => {
  const change = (where: string, path: string, value: string) =>
    sql(`UPDATE orders.invoices SET document = JSON_SET(document, '${path}', ${value}) WHERE ${where}`)
  const ofFirst = `subject = '${first.id}'`
  const creditNotes = `order_id = '${sent.id}' AND subject <> order_id`
  return [
    [
      'a number that nothing has',
      sql("UPDATE orders.invoice_series SET issued = issued + 1 WHERE series NOT LIKE 'C-%'"),
      [gaps],
    ],
    ['a document of another number', change(ofFirst, '$.number', "'2000-1-000001'"), [gaps]],
    [
      'an order whose invoice is gone',
      sql(`DELETE FROM orders.invoices WHERE ${ofFirst}`),
      [gaps, documented],
    ],
    [
      'a refund whose credit note is gone',
      sql(`DELETE FROM orders.invoices WHERE ${creditNotes} LIMIT 1`),
      [gaps, documented],
    ],
    ['an invoice of a cent more', change(ofFirst, '$.lines[0].gross', '3001'), [documentSums]],
    ['a credit note of a cent', change(creditNotes, '$.lines[0].gross', '1'), [documentSums]],
    [
      'a credit note for another invoice',
      change(creditNotes, '$.corrects.number', "'2000-1-000001'"),
      [documentSums],
    ],
    [
      'a document that nobody issues',
      sql(
        `INSERT INTO orders.documents_due (subject, order_id, due_at) VALUES ('${nobody}', '${first.id}', NOW(3) - INTERVAL 1 HOUR)`,
      ),
      [documentsDue],
    ],
    [
      'a figure of a cent more',
      sql("UPDATE orders.sales SET sold_gross = sold_gross + 1 WHERE sku <> '' LIMIT 1"),
      [figures],
    ],
    [
      'a figure of nothing back',
      sql('UPDATE orders.sales SET back_gross = 0 WHERE back_gross > 0'),
      [figures],
    ],
  ]
}
