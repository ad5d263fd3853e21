import { setTimeout as pause } from 'node:timers/promises'

type Truthy<T> = Exclude<T, null | undefined | false | 0 | ''>

/**
 * Asks again and again until `ask` gives something truthy, and gives that. Throws with the last answer or error after
 * `withinMs`: a condition with a deadline, never a fixed wait.
 */
export const eventually = async <T>(
  what: string,
  ask: () => Promise<T> | T,
  withinMs = 60_000,
): Promise<Truthy<T>> => {
  const end = Date.now() + withinMs
  let last: unknown
  for (;;) {
    try {
      last = await ask()
      if (last) return last as Truthy<T>
    } catch (error) {
      last = error
    }
    if (Date.now() > end)
      throw new Error(`not within ${withinMs} ms: ${what}; last: ${show(last)}`, { cause: last })
    await pause(20)
  }
}

const show = (value: unknown) => (value instanceof Error ? value.message : JSON.stringify(value))
