import { setTimeout as pause } from 'node:timers/promises'

type Truthy<T> = Exclude<T, null | undefined | false | 0 | ''>

/**
 * Asks again and again until `ask` gives something truthy, and gives that. Throws with the last answer or error after
 * `withinMs`: a condition with a deadline, never a fixed wait. The longer it lasts the less often it asks, or those who wait
 * would keep a slow machine from getting there: at most a twentieth of the time is lost by it.
 */
export const eventually = async <T>(
  what: string,
  ask: () => Promise<T> | T,
  withinMs = 60_000,
): Promise<Truthy<T>> => {
  const startedAt = Date.now()
  let last: unknown
  for (;;) {
    try {
      last = await ask()
      if (last) return last as Truthy<T>
    } catch (error) {
      last = error
    }
    const waited = Date.now() - startedAt
    if (waited > withinMs)
      throw new Error(`not within ${withinMs} ms: ${what}; last: ${show(last)}`, { cause: last })
    await pause(Math.max(20, waited / 20))
  }
}

const show = (value: unknown) => (value instanceof Error ? value.message : JSON.stringify(value))
