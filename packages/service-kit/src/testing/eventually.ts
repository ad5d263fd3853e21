import { setTimeout as pause } from 'node:timers/promises'

type Truthy<T> = Exclude<T, null | undefined | false | 0 | ''>

/** Asks until the answer is truthy and gives it. Throws with the last answer or error when that takes longer than `withinMs`. */
export const eventually = async <T>(
  what: string,
  ask: () => Promise<T> | T,
  withinMs = 15_000,
): Promise<Truthy<T>> => {
  const end = Date.now() + withinMs
  for (;;) {
    let last: unknown
    try {
      const answer = await ask()
      if (answer) return answer as Truthy<T>
      last = answer
    } catch (error) {
      last = error
    }
    if (Date.now() > end)
      throw new Error(`not within ${withinMs} ms: ${what}; last: ${JSON.stringify(last)}`, { cause: last })
    await pause(10)
  }
}
