import { isDeepStrictEqual } from 'node:util'
import { type Promotion, promotionChanged } from '@caravan/contracts/promotions'
import { decodeCursor, toPage } from '@caravan/service-kit/cursor'
import { type Database, orReplace, type Transaction, transaction } from '@caravan/service-kit/database'
import { AppError } from '@caravan/service-kit/errors'
import { fitting } from '@caravan/service-kit/fitting'
import { fact, type Outbox } from '@caravan/service-kit/outbox'
import type { Precondition } from '@caravan/service-kit/precondition'
import { z } from 'zod'
import type { Ends } from './window.ts'

/** What an operator writes; the rest of a promotion is this app's own. */
export type PromotionContent = Omit<Promotion, 'id' | 'version' | 'createdAt' | 'updatedAt' | keyof Ends>

interface Row {
  id: string
  version: number
  content: string
  created_at: Date
  updated_at: Date
}

interface Counted extends Row {
  used: number
  spent: number
}

const columns = ['id', 'version', 'content', 'created_at', 'updated_at'] as const

const present = (row: Row): Promotion => ({
  id: row.id,
  version: row.version,
  ...(JSON.parse(row.content) as PromotionContent & Ends),
  createdAt: row.created_at.toISOString(),
  updatedAt: row.updated_at.toISOString(),
})

export const notFound = () => new AppError('not-found', 'promotions/not-found', 'No such promotion')

/** Throws 409 when what a promotion has given so far would be of another kind than what it gives from now on. */
const assertSameKind = (before: PromotionContent, { trigger, currency }: PromotionContent): void => {
  const changed = Object.entries({ trigger, currency }).filter(
    ([name, value]) => before[name as 'trigger' | 'currency'] !== value,
  )
  if (changed.length > 0)
    throw new AppError('conflict', 'promotions/fixed', 'Make another promotion instead', {
      errors: changed.map(([name]) => ({ pointer: `/${name}`, detail: 'as it began' })),
    })
}

/** Throws 409 for limits that what is `used` and `spent` by now has passed: what was given is given. */
export const assertWithin = (
  { used, spent = 0 }: { readonly used: number; readonly spent?: number },
  {
    uses = used,
    budget = spent,
  }: { readonly uses?: number | undefined; readonly budget?: number | undefined },
  at: string,
): void => {
  const errors = [
    ...(uses < used ? [{ pointer: `${at}/uses`, detail: `${used} by now` }] : []),
    ...(budget < spent ? [{ pointer: `${at}/budget`, detail: `${spent} by now` }] : []),
  ]
  if (errors.length > 0)
    throw new AppError('conflict', 'promotions/limit-passed', 'More is given by now: pause it instead', {
      errors,
    })
}

const changePosition = z.tuple([z.iso.datetime({ precision: 3 }), z.uuid()])

interface ChangesQuery {
  readonly since?: string | undefined
  readonly after?: string | undefined
  readonly limit: number
}

export const createPromotionStore = (db: Database, outbox: Outbox) => {
  const find = (on: Database | Transaction, id: string) => on('promotions').where({ id })

  /** Throws 404. */
  const get = async (id: string): Promise<Promotion> => {
    const row: Row | undefined = await find(db, id).first(...columns)
    if (!row) throw notFound()
    return present(row)
  }

  /** In the order of their ids, with what they gave. */
  const list = async (limit: number, after?: string) => {
    const query = db('promotions')
      .select(...columns, 'used', 'spent')
      .orderBy('id')
      .limit(limit + 1)
    if (after !== undefined) query.where('id', '>', after)
    const rows: Counted[] = await query
    const data = fitting(
      rows.slice(0, limit).map((row) => ({ ...present(row), used: row.used, spent: row.spent })),
    )
    const next = rows.length > data.length ? data.at(-1)?.id : undefined
    return { data, hasMore: next !== undefined, ...(next ? { next } : {}) }
  }

  const write = (
    id: string,
    content: PromotionContent,
    ends: Ends,
    precondition: Precondition,
  ): Promise<Promotion> =>
    transaction(db, async (tx) => {
      const row: Counted | undefined = await find(tx, id)
        .forUpdate()
        .first(...columns, 'used', 'spent')
      const before = row && present(row)
      precondition(before)
      const whole = { ...content, ...ends }
      if (row && isDeepStrictEqual(JSON.parse(row.content), whole)) return present(row)
      if (before) assertSameKind(before, content)
      if (row) assertWithin(row, content.limits, '/limits')

      const now = new Date()
      const next = {
        id,
        version: (row?.version ?? 0) + 1,
        content: JSON.stringify(whole),
        created_at: row?.created_at ?? now,
        updated_at: now,
      }
      const { uses, usesPerCustomer, budget } = content.limits
      const written = {
        ...next,
        triggered_by: content.trigger,
        status: content.status,
        uses_limit: uses ?? null,
        customer_limit: usesPerCustomer ?? null,
        budget: budget ?? null,
        changed_at: db.raw('NOW(3)'),
      }
      if (row) await find(tx, id).update(written)
      else await tx('promotions').insert(written)
      const promotion = present(next)
      await outbox.add(tx, [fact(promotionChanged, promotion)])
      return promotion
    })

  /**
   * Creates or replaces a promotion. Each real change makes the version one higher and is published; the same content again
   * changes nothing, unless its time zone's rules are others by now. Throws 409 for another trigger or currency, and for
   * a limit that is passed by now; 412.
   */
  const put = async (
    id: string,
    content: PromotionContent,
    ends: Ends,
    precondition: Precondition,
  ): Promise<Promotion> => {
    const promotion = await orReplace(() => write(id, content, ends, precondition))
    outbox.wake()
    return promotion
  }

  /**
   * A page of the promotions that changed at `since` or later, in the order of their last changes. A change has the time of its
   * statement and is seen from its commit on: read again from a while before `until`.
   */
  const changes = async ({ since, after, limit }: ChangesQuery) => {
    const [[clock]] = (await db.raw('SELECT NOW(3) AS now')) as unknown as [[{ now: Date }]]
    const query = db('promotions')
      .select(...columns, 'changed_at')
      .orderBy(['changed_at', 'id'])
      .limit(limit + 1)
    if (after !== undefined) {
      const [changedAt, id] = decodeCursor('promotions', changePosition, after)
      const at = new Date(changedAt)
      query
        .where('changed_at', '>=', at)
        .where((either) => either.where('changed_at', '>', at).orWhere('id', '>', id))
    } else if (since !== undefined) query.where('changed_at', '>=', new Date(since))
    const rows: (Row & { changed_at: Date })[] = await query
    const page = toPage(rows, limit, present, (row) => [row.changed_at.toISOString(), row.id])
    return { ...page, until: clock.now.toISOString() }
  }

  return { get, list, put, changes }
}

export type PromotionStore = ReturnType<typeof createPromotionStore>
