const seconds = 600
const most = 10_000

/**
 * Accounts that held too much a while ago. They are asked before stock is reserved for them: what is refused after that holds
 * it for a moment, and a moment often enough is always.
 */
export const createTurnedAway = (now = Date.now) => {
  const until = new Map<string, number>()
  return {
    add: (accountId: string): void => {
      if (until.size >= most) until.delete(until.keys().next().value as string)
      until.set(accountId, now() + seconds * 1000)
    },
    has: (accountId: string): boolean => {
      if ((until.get(accountId) ?? 0) > now()) return true
      until.delete(accountId)
      return false
    },
  }
}
