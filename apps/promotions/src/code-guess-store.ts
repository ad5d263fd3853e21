import type { Database } from '@caravan/service-kit/database'

export interface GuessLimits {
  /** Of one customer in a window. */
  readonly guesses: number
  readonly windowSeconds: number
}

/**
 * Keeps guessing slow. What is asked for counts before it is looked up, so that many questions at once do not slip by, and what
 * was right counts no more afterwards. A window begins with the first question after the last one ended.
 */
export const createCodeGuessStore = (db: Database, { guesses, windowSeconds }: GuessLimits) => {
  /** Gives the seconds to wait where so many codes more would be too many, and then counts none. */
  const ask = async (customer: string, codes: number): Promise<number | undefined> => {
    await db.raw(
      `INSERT INTO code_guesses (customer, guesses, until) VALUES (?, 0, NOW(3))
       ON DUPLICATE KEY UPDATE guesses = guesses`,
      [customer],
    )
    const [counted] = await db.raw(
      `UPDATE code_guesses SET guesses = IF(until <= NOW(3), 0, guesses) + ?,
         until = IF(until <= NOW(3), NOW(3) + INTERVAL ? SECOND, until)
       WHERE customer = ? AND (until <= NOW(3) OR guesses + ? <= ?)`,
      [codes, windowSeconds, customer, codes, guesses],
    )
    if (counted.affectedRows === 1) return undefined
    const [[row]] = await db.raw(
      'SELECT CEIL(TIMESTAMPDIFF(MICROSECOND, NOW(3), until) / 1e6) AS wait FROM code_guesses WHERE customer = ?',
      [customer],
    )
    return Math.max(1, Number(row?.wait ?? 1))
  }

  const wereRight = async (customer: string, codes: number): Promise<void> => {
    if (codes > 0)
      await db.raw(
        'UPDATE code_guesses SET guesses = guesses - ? WHERE customer = ? AND guesses >= ? AND until > NOW(3)',
        [codes, customer, codes],
      )
  }

  const trim = async (): Promise<void> => {
    await db.raw('DELETE FROM code_guesses WHERE until < NOW(3) LIMIT 5000')
  }

  return { ask, wereRight, trim }
}

export type CodeGuessStore = ReturnType<typeof createCodeGuessStore>
