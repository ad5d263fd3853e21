import { type Books, newId } from './books.ts'
import type { WebhookKnobs } from './knobs.ts'
import type { Outcome } from './post-webhook.ts'

const SHUFFLE_WINDOW_MS = 500
const FIRST_DELAY_MS = 500
const LONGEST_DELAY_MS = 30_000
const MOST_TRIES = 20

/** What an event tells. Deliveries are found by the charge; all else is for whoever announces it to say. */
type EventData = { charge: { id: string; reference: string }; [more: string]: unknown }

/** Writes the deliveries of an event, in the caller's transaction. `at` is when it happens, in ms; now by default. */
export type AddEvent = (
  type: 'charge.captured' | 'charge.declined' | 'charge.refunded' | 'charge.disputed',
  data: EventData,
  knobs: WebhookKnobs,
  at?: number,
) => void

/** `lane` orders: what shares one is posted one after the other. */
export type Delivery = { seq: number; body: string; lane: string; tries: number }
type Row = Delivery & { event: string; copy: number; status: string; due: number }
type Attempt = { at: string } & Outcome

/** How long to wait after this many failed tries: doubling, with a cap. */
export const retryDelayMs = (tries: number) => Math.min(FIRST_DELAY_MS * 2 ** (tries - 1), LONGEST_DELAY_MS)

/** Webhooks to send, in the books. Each is sent at least once or marked `failed` after 20 tries. */
export function createOutbox({ db, transaction }: Books) {
  const insert = db.prepare(
    `INSERT INTO deliveries (event, body, charge, reference, copy, lane, status, due) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  const untried = db.prepare(
    `SELECT seq, due FROM deliveries WHERE charge = ? AND status = 'pending' AND tries = 0 ORDER BY copy, seq DESC`,
  )
  const postpone = db.prepare('UPDATE deliveries SET due = ? WHERE seq = ?')
  const selectDue = db.prepare(
    `SELECT seq, body, lane, tries FROM deliveries WHERE status = 'pending' AND due <= ? ORDER BY due, seq LIMIT 200`,
  )
  const selectNext = db.prepare(`SELECT min(due) AS due FROM deliveries WHERE status = 'pending' AND due > ?`)
  const settle = db.prepare('UPDATE deliveries SET status = ?, tries = ?, due = ? WHERE seq = ?')
  const addAttempt = db.prepare('INSERT INTO attempts (delivery, at, status, error) VALUES (?, ?, ?, ?)')
  const selectAttempts = db.prepare(
    'SELECT at, status, error FROM attempts WHERE delivery = ? ORDER BY rowid',
  )
  const selectDeliveries = db.prepare('SELECT * FROM deliveries WHERE reference = ? ORDER BY seq LIMIT 500')

  /** Newest event first, copies interleaved, all once the latest of them is due. */
  function shuffle(charge: string) {
    const waiting = untried.all(charge) as Pick<Row, 'seq' | 'due'>[]
    const start = Math.max(...waiting.map(({ due }) => due))
    for (const [place, { seq }] of waiting.entries()) postpone.run(start + place, seq)
  }

  const add: AddEvent = (type, data, knobs, at = Date.now()) => {
    const { id: charge, reference } = data.charge
    const event = newId('evt')
    const body = JSON.stringify({ id: event, type, createdAt: new Date(at).toISOString(), data })
    const due = at + (knobs.shuffle ? Math.max(knobs.delayMs, SHUFFLE_WINDOW_MS) : knobs.delayMs)
    for (let copy = 1; copy <= knobs.copies; copy++) {
      const lane = knobs.shuffle ? charge : `${charge}/${copy}`
      insert.run(event, body, charge, reference, copy, lane, knobs.drop ? 'dropped' : 'pending', due)
    }
    if (knobs.shuffle && !knobs.drop) shuffle(charge)
  }

  return {
    add,
    due: (now: number) => selectDue.all(now) as Delivery[],
    /** When the next one falls due after `now`, in ms; null when none waits. */
    nextDue: (now: number) => (selectNext.get(now) as { due: number | null }).due,

    /** Notes an attempt and its consequence: delivered, a later retry, or failed for good. */
    record({ seq, tries: before }: Delivery, { status, error }: Outcome, now: number): string {
      const tries = before + 1
      const delivered = status !== null && status >= 200 && status < 300
      const next = delivered ? 'delivered' : tries < MOST_TRIES ? 'pending' : 'failed'
      transaction(() => {
        addAttempt.run(seq, new Date(now).toISOString(), status, error)
        settle.run(next, tries, now + retryDelayMs(tries), seq)
      })
      return next
    },

    /** The deliveries for charges with this reference, with each attempt. */
    list(reference: string) {
      const rows = selectDeliveries.all(reference) as Row[]
      return rows.map(({ seq, body, copy, status }) => {
        const attempts = selectAttempts.all(seq) as Attempt[]
        return { event: JSON.parse(body), copy, status, attempts }
      })
    },
  }
}
