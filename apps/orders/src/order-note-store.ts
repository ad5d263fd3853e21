import type { Note, Step } from '@caravan/contracts/staff-orders'
import { type Database, transaction } from '@caravan/service-kit/database'
import { AppError } from '@caravan/service-kit/errors'
import { traceIdOf } from '@caravan/service-kit/trace'

/** Of an order: a timeline shows all of them. */
const mostNotes = 500

interface NoteRow {
  id: string
  author: string
  text: string
  created_at: Date
  trace_id: string | null
}

interface StepRow {
  what: string
  about: string | null
  at: Date
  trace_id: string | null
}

const missing = () => new AppError('not-found', 'orders/not-found', 'There is no such order')

const noteOf = ({ id, author, text, created_at }: NoteRow): Note => ({
  ...{ id, author, text, at: created_at.toISOString() },
})

const stepOf = ({ what, about, at, trace_id }: StepRow): Step => ({
  ...{ at: at.toISOString(), what },
  ...(about ? { about } : {}),
  ...(trace_id ? { traceId: trace_id } : {}),
})

/** What staff writes of orders, and what happened to them beside their own history. */
export const createOrderNoteStore = (db: Database) => {
  /** One effect an id. Throws 404 where there is no such order, 409 where it has too many. */
  const add = (orderId: string, note: Pick<Note, 'id' | 'author' | 'text'>): Promise<Note> =>
    transaction(db, async (tx) => {
      const order = await tx('orders').where({ id: orderId }).forUpdate().first('id')
      if (!order) throw missing()
      const known: NoteRow | undefined = await tx('order_notes')
        .where({ order_id: orderId, id: note.id })
        .first()
      if (known) return noteOf(known)
      const notes: { id: string }[] = await tx('order_notes').where({ order_id: orderId }).select('id')
      if (notes.length >= mostNotes)
        throw new AppError('conflict', 'orders/too-many-notes', `An order has at most ${mostNotes} notes`)
      const created_at = new Date()
      await tx('order_notes').insert({
        ...{ order_id: orderId, ...note, created_at, trace_id: traceIdOf() ?? null },
      })
      return noteOf({ ...note, created_at, trace_id: null })
    })

  /** Newest first, from below the id `after`. */
  const list = async (orderId: string, limit: number, after?: string): Promise<Note[]> => {
    const rows: NoteRow[] = await db('order_notes')
      .where({ order_id: orderId })
      .modify((query) => after && query.andWhere('id', '<', after))
      .orderBy('id', 'desc')
      .limit(limit)
    return rows.map(noteOf)
  }

  /** What happened to an order after it was confirmed, and its notes. */
  const steps = async (orderId: string): Promise<Step[]> => {
    const [steps, notes]: [StepRow[], StepRow[]] = await Promise.all([
      db('order_steps').where({ order_id: orderId }).orderBy('seq').select('what', 'about', 'at', 'trace_id'),
      db('order_notes')
        .where({ order_id: orderId })
        .orderBy('id')
        .select({ what: db.raw("'note'"), about: 'id', at: 'created_at', trace_id: 'trace_id' }),
    ])
    return [...steps, ...notes].map(stepOf)
  }

  return { add, list, steps }
}

export type OrderNoteStore = ReturnType<typeof createOrderNoteStore>
