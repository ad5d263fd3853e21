import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Connection } from 'mysql2/promise'
import type { ClientEntry } from '../support/client-log.ts'
import { fill } from './books.ts'

type Line = { readonly sku: string; readonly quantity: number }

const sums = (items: readonly Line[]): [sku: string, quantity: number][] => {
  const bySku = new Map<string, number>()
  for (const { sku, quantity } of items) bySku.set(sku, (bySku.get(sku) ?? 0) + quantity)
  return [...bySku].sort(([a], [b]) => (a < b ? -1 : 1))
}

const bought = (items: readonly Line[]) =>
  sums(items)
    .map(([sku, quantity]) => `${sku} x ${quantity}`)
    .join(', ')

const entriesOf = async function* (files: readonly string[]): AsyncGenerator<ClientEntry> {
  for (const file of files)
    for await (const line of createInterface({ input: createReadStream(file) }))
      if (line !== '') yield JSON.parse(line)
}

/** Copies what clients wrote down into the auditor's tables. */
export const readPromises = async (books: Connection, files: readonly string[]): Promise<void> => {
  const waiting = new Map<string, unknown[][]>()
  const flush = async (table: string) => {
    await fill(books, table, waiting.get(table) ?? [])
    waiting.delete(table)
  }
  const add = async (table: string, ...row: unknown[]) => {
    const rows = waiting.get(table) ?? []
    waiting.set(table, rows)
    if (rows.push(row) >= 1000) await flush(table)
  }

  const accounts = new Set<string>()
  const asked = new Map<string, Extract<ClientEntry, { what: 'order-asked' }>>()
  let refusals = 0
  /** Of an order with several SKUs and no word which of them were short, nothing can be said. */
  const refuse = async ({ key, code, short, at }: Extract<ClientEntry, { what: 'order-refused' }>) => {
    const question = asked.get(key)
    if (!question) return
    asked.delete(key)
    await add('audit_refusals', question.account, key)
    if (code !== 'inventory/insufficient-stock') return
    const wanted = sums(question.items)
    const said = new Set(short.map(({ sku }) => sku))
    for (const [sku, quantity] of wanted) {
      if (!said.has(sku) && (said.size > 0 || wanted.length > 1)) continue
      refusals += 1
      await add('audit_short', refusals, sku, quantity, toSql(question.at), 'asked')
      // What has the same millisecond may have been before the answer.
      await add('audit_short', refusals, sku, quantity, toSql(at, 1), 'answered')
    }
  }

  for await (const entry of entriesOf(files)) {
    if (entry.what === 'order-asked') {
      if (!asked.has(entry.key)) asked.set(entry.key, entry)
      accounts.add(entry.account)
      await add('audit_asked', entry.account, entry.key)
    } else if (entry.what === 'order-placed') {
      asked.delete(entry.key)
      const { order, account, key, total, currency, items } = entry
      await add('audit_placed', order, account, key, total, currency, bought(items))
    } else if (entry.what === 'order-refused') await refuse(entry)
    else if (entry.what === 'payment-answered') {
      if (['captured', 'processing'].includes(entry.status))
        await add('audit_payments', entry.payment, entry.order, entry.status)
    } else if (entry.what === 'order-confirmed') await add('audit_ended', entry.order, 'confirmed')
    else if (entry.what === 'cancellation-answered') await add('audit_ended', entry.order, 'cancelled')
  }
  for (const table of [...waiting.keys()]) await flush(table)
  await fill(
    books,
    'audit_clients',
    [...accounts].map((account) => [account]),
  )
}

const toSql = (instant: string, laterMs = 0) =>
  new Date(Date.parse(instant) + laterMs).toISOString().replace('T', ' ').replace('Z', '')
