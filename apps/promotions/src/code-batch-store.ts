import type { CodeBatch } from '@caravan/contracts/codes'
import { type Database, transaction } from '@caravan/service-kit/database'
import { AppError } from '@caravan/service-kit/errors'
import type { Once } from '@caravan/service-kit/idempotency'
import { demandByCode } from './code-store.ts'
import { randomCode } from './random-code.ts'

export type BatchContent = Pick<CodeBatch, 'count' | 'prefix' | 'length' | 'uses'>

interface Row {
  id: string
  promotion: string
  content: string
  made: number
  created_at: Date
}

const columns = ['id', 'promotion', 'content', 'made', 'created_at'] as const

const present = ({ id, promotion, content, made, created_at }: Row): CodeBatch => ({
  id,
  promotionId: promotion,
  ...(JSON.parse(content) as BatchContent),
  made,
  createdAt: created_at.toISOString(),
})

/** Codes in a transaction. */
const chunk = 5000

export const createCodeBatchStore = (db: Database) => {
  /** Throws 404 and 409 as its promotion demands. The codes themselves are made by `makeSome`. */
  const order = (promotionId: string, content: BatchContent, once: Once): Promise<CodeBatch> =>
    transaction(db, async (tx) => {
      await demandByCode(tx, promotionId)
      const row: Row = {
        id: once.id,
        promotion: promotionId,
        content: JSON.stringify(content),
        made: 0,
        created_at: new Date(),
      }
      await tx('code_batches').insert({ ...row, wanted: content.count })
      const batch = present(row)
      await once.record(tx, 201, batch)
      return batch
    })

  /** Throws 404. */
  const get = async (promotionId: string, id: string): Promise<CodeBatch> => {
    const row: Row | undefined = await db('code_batches')
      .where({ id, promotion: promotionId })
      .first(...columns)
    if (!row) throw new AppError('not-found', 'promotions/batch-not-found', 'No such batch')
    return present(row)
  }

  /** Newest first: an id begins with its time. */
  const list = async (promotionId: string, limit: number, after?: string) => {
    const query = db('code_batches')
      .where({ promotion: promotionId })
      .orderBy('id', 'desc')
      .limit(limit + 1)
    if (after !== undefined) query.where('id', '<', after)
    const rows: Row[] = await query.select(...columns)
    const data = rows.slice(0, limit).map(present)
    const next = rows.length > limit ? data.at(-1)?.id : undefined
    return { data, hasMore: next !== undefined, ...(next ? { next } : {}) }
  }

  /**
   * Makes some of the codes of the batch that waits longest, and says whether there was one. What is made is counted in the same
   * transaction, under the batch's lock: whoever dies, and however many do this at once, there are as many in the end as were ordered.
   */
  const makeSome = (): Promise<boolean> =>
    transaction(db, async (tx) => {
      const row: (Row & { wanted: number }) | undefined = await tx('code_batches')
        .where({ is_made: false })
        .orderBy('id')
        .forUpdate()
        .first(...columns, 'wanted')
      if (!row) return false
      const { promotionId, prefix, length, uses } = present(row)
      const codes = new Set<string>()
      while (codes.size < Math.min(chunk, row.wanted - row.made)) codes.add(randomCode(length, prefix))
      // One that there is already, somewhere in the shop, is left to the next round.
      const [{ affectedRows }] = await tx.raw(
        `INSERT IGNORE INTO codes (code, promotion, batch, status, uses_limit)
         VALUES ${[...codes].map(() => "(?, ?, ?, 'active', ?)").join()}`,
        [...codes].flatMap((code) => [code, promotionId, row.id, uses]),
      )
      const made = row.made + affectedRows
      await tx('code_batches')
        .where({ id: row.id })
        .update({ made, is_made: made === row.wanted })
      return true
    })

  return { order, get, list, makeSome }
}

export type CodeBatchStore = ReturnType<typeof createCodeBatchStore>
