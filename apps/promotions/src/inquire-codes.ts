import type { CodeGuessStore } from './code-guess-store.ts'
import type { CodeStore } from './code-store.ts'

/** Whoever has to wait is told of no code whether it was right. */
export const createInquireCodes =
  (codes: Pick<CodeStore, 'find'>, guesses: Pick<CodeGuessStore, 'ask' | 'wereRight'>) =>
  async (customer: string, asked: readonly string[]) => {
    const retryAfterSeconds = await guesses.ask(customer, asked.length)
    if (retryAfterSeconds !== undefined) return { outcome: 'too-many' as const, retryAfterSeconds }
    const found = await codes.find(customer, asked)
    await guesses.wereRight(customer, asked.filter((code) => found.has(code)).length)
    return {
      outcome: 'answered' as const,
      data: asked.map((code) => {
        const promotionId = found.get(code)
        return promotionId === undefined
          ? { code, outcome: 'not-found' as const }
          : { code, outcome: 'found' as const, promotionId }
      }),
    }
  }
