/**
 * Runs work on the same key one after another, in the order in which it came; other keys do not wait. At most `most` wait for one
 * key: for more, `refuse` says what is thrown.
 */
export const createTurns = (most: number, refuse: () => Error) => {
  const queues = new Map<string, { last: Promise<unknown>; length: number }>()

  return async <T>(key: string, work: () => Promise<T>): Promise<T> => {
    const queue = queues.get(key) ?? { last: Promise.resolve(), length: 0 }
    if (queue.length > most) throw refuse()
    const turn = queue.last.then(work)
    queue.length += 1
    queue.last = turn
      .catch(() => {})
      .finally(() => {
        queue.length -= 1
        if (queue.length === 0) queues.delete(key)
      })
    queues.set(key, queue)
    return turn
  }
}
