import { inquireCodes } from '@caravan/contracts/codes'
import { AppError } from '@caravan/service-kit/errors'
import type { Sidecar } from '@caravan/service-kit/sidecar'
import type { Code } from './domain/choice.ts'

const most = 10_000

/**
 * Which promotions codes are of, as promotions says. A code never becomes another promotion's, so what was found once is
 * remembered, and an order right after its quote asks nobody. For that customer only: it may be one's own, and who guesses learns of none
 * that others found. Throws 429 for a customer who guesses.
 */
export const createFindCodes = (sidecar: Sidecar) => {
  const found = new Map<string, string>()
  const keyOf = (customer: string, code: string) => `${customer} ${code}`

  const ask = async (customer: string, codes: string[]): Promise<void> => {
    const answer = await sidecar.call(inquireCodes, { body: { customer, codes } })
    if (answer.outcome === 'too-many')
      throw new AppError('too-many', 'orders/too-many-codes', 'Too many wrong codes; wait a while', {
        retryAfterSeconds: answer.retryAfterSeconds,
      })
    for (const each of answer.data) {
      if (each.outcome !== 'found') continue
      if (found.size >= most) found.delete(found.keys().next().value as string)
      found.set(keyOf(customer, each.code), each.promotionId)
    }
  }

  return async (customer: string, codes: readonly string[]): Promise<Code[]> => {
    const unknown = [...new Set(codes)].filter((code) => !found.has(keyOf(customer, code)))
    if (unknown.length > 0) await ask(customer, unknown)
    return [...new Set(codes)].map((code) => ({ code, promotionId: found.get(keyOf(customer, code)) }))
  }
}

export type FindCodes = ReturnType<typeof createFindCodes>
