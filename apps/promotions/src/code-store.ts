import type { CouponCode } from '@caravan/contracts/codes'
import { type Database, orReplace, type Transaction, transaction } from '@caravan/service-kit/database'
import { AppError } from '@caravan/service-kit/errors'
import type { Precondition } from '@caravan/service-kit/precondition'
import { assertWithin, notFound } from './promotion-store.ts'

/** What an operator writes of a code. */
export type CodeContent = Pick<CouponCode, 'status' | 'uses' | 'customer'>

interface Row {
  code: string
  promotion: string
  batch: string | null
  status: CouponCode['status'] | 'deleted'
  uses_limit: number | null
  customer: string | null
  created_at: Date
}

const columns = ['code', 'promotion', 'batch', 'status', 'uses_limit', 'customer', 'created_at'] as const

const present = ({ code, promotion, batch, uses_limit, customer, status, created_at }: Row): CouponCode => ({
  code,
  promotionId: promotion,
  status: status as CouponCode['status'],
  ...(uses_limit === null ? {} : { uses: uses_limit }),
  ...(customer === null ? {} : { customer }),
  ...(batch === null ? {} : { batchId: batch }),
  createdAt: created_at.toISOString(),
})

/** Throws 404 for a promotion that is not there, 409 for one that comes without a code. */
export const demandByCode = async (on: Database | Transaction, promotionId: string): Promise<void> => {
  const promotion: { triggered_by: string } | undefined = await on('promotions')
    .where({ id: promotionId })
    .first('triggered_by')
  if (!promotion) throw notFound()
  if (promotion.triggered_by !== 'code')
    throw new AppError('conflict', 'promotions/not-by-code', 'This promotion needs no code')
}

const noSuchCode = () => new AppError('not-found', 'promotions/code-not-found', 'No such code')

interface ListQuery {
  readonly batchId?: string | undefined
  readonly after?: string | undefined
  readonly limit: number
}

export const createCodeStore = (db: Database) => {
  /** The row, locked, whatever it is; `current` where it is a code of the promotion that is not withdrawn. */
  const lock = async (tx: Transaction, promotionId: string, code: string) => {
    const row: (Row & { used: number }) | undefined = await tx('codes')
      .where({ code })
      .forUpdate()
      .first(...columns, 'used')
    const isThere = row?.promotion === promotionId && row.status !== 'deleted'
    return { row, current: isThere ? present(row) : undefined }
  }

  /** Throws 404. */
  const get = async (promotionId: string, code: string): Promise<CouponCode> => {
    const row: Row | undefined = await db('codes')
      .where({ code, promotion: promotionId })
      .whereNot('status', 'deleted')
      .first(...columns)
    if (!row) throw noSuchCode()
    return present(row)
  }

  /** In the order of the codes, with how many orders have each. */
  const list = async (promotionId: string, { batchId, after, limit }: ListQuery) => {
    const query = db('codes')
      .select(...columns, 'used')
      .where({ promotion: promotionId, ...(batchId ? { batch: batchId } : {}) })
      .whereNot('status', 'deleted')
      .orderBy('code')
      .limit(limit + 1)
    if (after !== undefined) query.where('code', '>', after)
    const rows: (Row & { used: number })[] = await query
    const data = rows.slice(0, limit).map((row) => ({ ...present(row), used: row.used }))
    const next = rows.length > limit ? data.at(-1)?.code : undefined
    return { data, hasMore: next !== undefined, ...(next ? { next } : {}) }
  }

  const write = (
    promotionId: string,
    code: string,
    { status, uses, customer }: CodeContent,
    precondition: Precondition,
  ): Promise<CouponCode> =>
    transaction(db, async (tx) => {
      const { row, current } = await lock(tx, promotionId, code)
      precondition(current)
      if (row && row.promotion !== promotionId)
        throw new AppError('conflict', 'promotions/code-taken', 'The code belongs to another promotion')
      await demandByCode(tx, promotionId)
      if (row) assertWithin(row, { uses }, '')
      const next: Row = {
        code,
        promotion: promotionId,
        batch: row?.batch ?? null,
        status,
        uses_limit: uses ?? null,
        customer: customer ?? null,
        created_at: row?.created_at ?? new Date(),
      }
      if (row) await tx('codes').where({ code }).update(next)
      else await tx('codes').insert(next)
      return present(next)
    })

  /** Throws 404 and 409 as its promotion demands, 409 for the code of another one and for a limit that is passed by now; 412. A code that was withdrawn may come back. */
  const put = (
    promotionId: string,
    code: string,
    content: CodeContent,
    precondition: Precondition,
  ): Promise<CouponCode> => orReplace(() => write(promotionId, code, content, precondition))

  /** Its row stays: a code is its promotion's for ever. Throws 404, 412. */
  const withdraw = (promotionId: string, code: string, precondition: Precondition): Promise<void> =>
    transaction(db, async (tx) => {
      const { current } = await lock(tx, promotionId, code)
      if (!current) throw noSuchCode()
      precondition(current)
      await tx('codes').where({ code }).update({ status: 'deleted' })
    })

  /** Of which promotions those of some codes are that a customer may use now. */
  const find = async (customer: string, codes: readonly string[]): Promise<Map<string, string>> => {
    const rows: { code: string; promotion: string }[] = await db('codes as c')
      .join('promotions as p', 'p.id', 'c.promotion')
      .select('c.code', 'c.promotion')
      .whereIn('c.code', [...codes])
      .where({ 'c.status': 'active', 'p.status': 'active' })
      .where((either) => either.whereNull('c.customer').orWhere('c.customer', customer))
    return new Map(rows.map(({ code, promotion }) => [code, promotion]))
  }

  return { get, list, put, withdraw, find }
}

export type CodeStore = ReturnType<typeof createCodeStore>
