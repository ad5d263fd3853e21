import type { Account } from '@caravan/contracts/identity'
import { type Database, type Transaction, transaction } from '@caravan/service-kit/database'
import { AppError } from '@caravan/service-kit/errors'
import { newId } from '@caravan/service-kit/ids'
import { derive, isSame } from '../derive.ts'

export type Purpose = 'confirm' | 'reset'

/** A mail that is due. */
export interface DueMail extends Pick<Account, 'email' | 'name' | 'locale'> {
  readonly id: string
  readonly purpose: Purpose
  readonly token: string
}

const hours: Record<Purpose, number> = { confirm: 72, reset: 1 }
/** Of one purpose to one account: at most one in so many seconds. */
const pauseSeconds = 60

const over = () => new AppError('invalid', 'identity/link-over', 'The link is over: ask for another one')

/** Links in mails. A token is `<id>.<derived>`, and only the id is stored: who reads the database opens nothing. */
export const createMailLinkStore = (db: Database, secret: string) => {
  const tokenOf = (id: string, purpose: Purpose): string =>
    `${id}.${derive(secret, 'link', `${purpose} ${id}`)}`

  return {
    /** Writes the mail down; it is sent after the commit. Does nothing where one went out a moment ago. */
    request: async (accountId: string, purpose: Purpose, on: Database | Transaction = db): Promise<void> => {
      await on.raw(
        `INSERT INTO mail_links (id, account_id, purpose, expires_at)
         SELECT ?, id, ?, NOW(3) + INTERVAL ? HOUR FROM accounts WHERE id = ? AND NOT EXISTS (
           SELECT 1 FROM mail_links WHERE account_id = ? AND purpose = ? AND created_at > NOW(3) - INTERVAL ? SECOND)`,
        [newId(), purpose, hours[purpose], accountId, accountId, purpose, pauseSeconds],
      )
    },

    /**
     * Whose link it is. With its use all of this purpose are over; but an address may be confirmed again, which changes nothing.
     * Throws 422 `identity/link-over`, also for a forged one.
     */
    use: async (tx: Transaction, token: string, purpose: Purpose): Promise<string> => {
      const [id = ''] = token.split('.')
      if (!isSame(token, tokenOf(id, purpose))) throw over()
      const [[link]] = await tx.raw(
        `SELECT account_id FROM mail_links WHERE id = ? AND purpose = ? AND expires_at > NOW(3)
           AND (used_at IS NULL OR purpose = 'confirm') FOR UPDATE`,
        [id, purpose],
      )
      if (!link) throw over()
      await tx('mail_links')
        .where({ account_id: link.account_id, purpose, used_at: null })
        .update({ used_at: db.raw('NOW(3)'), mailed: true })
      return link.account_id
    },

    /** Takes mails that are due; what is not told as mailed is due again, after a delay that grows to ten minutes. */
    lease: (limit: number): Promise<DueMail[]> =>
      transaction(db, async (tx) => {
        const [rows] = await tx.raw(
          `SELECT l.id, l.purpose, a.email, a.name, a.locale FROM mail_links l JOIN accounts a ON a.id = l.account_id
           WHERE l.mailed = FALSE AND l.next_attempt_at <= NOW(3) AND l.expires_at > NOW(3)
           ORDER BY l.next_attempt_at LIMIT ? FOR UPDATE SKIP LOCKED`,
          [limit],
        )
        if (rows.length > 0)
          await tx.raw(
            `UPDATE mail_links SET attempts = attempts + 1,
               next_attempt_at = NOW(3) + INTERVAL LEAST(600, 15 * POW(2, LEAST(attempts, 6))) SECOND WHERE id IN (?)`,
            [rows.map(({ id }: DueMail) => id)],
          )
        return rows.map((row: Omit<DueMail, 'token'>) => ({ ...row, token: tokenOf(row.id, row.purpose) }))
      }),

    mailed: async (id: string): Promise<void> => {
      await db('mail_links').where({ id }).update({ mailed: true })
    },

    trim: async (): Promise<void> => {
      await db.raw('DELETE FROM mail_links WHERE expires_at < NOW(3) - INTERVAL 1 DAY LIMIT 1000')
    },
  }
}

export type MailLinkStore = ReturnType<typeof createMailLinkStore>
