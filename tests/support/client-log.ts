import { appendFileSync, openSync, readFileSync } from 'node:fs'

/**
 * What a client of the shop writes down for itself, whatever the shop's own books say: each line before (`…-asked`) or
 * after an answer. The auditor holds the shop to it.
 */
export type ClientEntry = { readonly at: string } & (
  | { readonly what: 'order-asked'; readonly account: string; readonly key: string; readonly items: Lines }
  | {
      readonly what: 'order-placed'
      readonly account: string
      readonly key: string
      readonly order: string
      readonly items: Lines
      readonly total: number
      readonly currency: string
    }
  /** An expected refusal: `code` of the problem, and the SKUs that were short. */
  | { readonly what: 'order-refused'; readonly key: string; readonly code: string; readonly short: Lines }
  | { readonly what: 'payment-asked'; readonly order: string; readonly key: string }
  | {
      readonly what: 'payment-answered'
      readonly order: string
      readonly payment: string
      readonly status: string
    }
  | { readonly what: 'cancellation-answered'; readonly order: string }
  | { readonly what: 'order-confirmed'; readonly order: string }
)

type Lines = readonly { readonly sku: string; readonly quantity: number }[]

type WithoutTime<T> = T extends unknown ? Omit<T, 'at'> : never

export interface ClientLog {
  readonly file: string
  readonly write: (entry: WithoutTime<ClientEntry>) => void
}

/** Appends to a file of JSON lines; a line is in the file when `write` returns. */
export const openClientLog = (file: string): ClientLog => {
  const descriptor = openSync(file, 'a')
  return {
    file,
    write: (entry) =>
      appendFileSync(descriptor, `${JSON.stringify({ at: new Date().toISOString(), ...entry })}\n`),
  }
}

export const readClientLog = (file: string): ClientEntry[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
