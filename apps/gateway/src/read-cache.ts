import type { Answer } from './answer.ts'

/** A page shows one thing and is outdated by its key; lists show many, and any change may concern any of them. */
export type Group = 'page' | 'list'

interface Entry {
  readonly answer: Answer
  readonly group: Group
  readonly generation: number
  freshUntil: number
  /** Until when it may stand in while its source fails. */
  readonly keptUntil: number
  /** The source failed a moment ago: until then it is not asked again. */
  excusedUntil: number
}

interface Flight {
  readonly group: Group
  answer: Promise<Answer>
}

export interface CacheOptions {
  readonly capacity?: number
  readonly maxBytes?: number
  /** Milliseconds. */
  readonly now?: () => number
  readonly random?: () => number
}

const freshMs = 60_000
const negativeMs = 2000
const staleMs = 600_000
const excuseMs = 2000

const failed = ({ status }: Answer): boolean => status >= 500 || status === 429

/**
 * Answers in memory, behind invalidation by event: 200 for 50 to 60 s, 404 for 2 s, others not at all. Concurrent reads of
 * one key are one read. When the source fails, what was known is good for ten more minutes. Bounded by entries and bytes;
 * the least recently used go first.
 */
export const createReadCache = (options: CacheOptions = {}) => {
  const { capacity = 10_000, maxBytes = 67_108_864, now = Date.now, random = Math.random } = options
  const entries = new Map<string, Entry>()
  const flights = new Map<string, Flight>()
  let generation = 0
  let bytes = 0

  const remove = (key: string): void => {
    const entry = entries.get(key)
    if (!entry) return
    entries.delete(key)
    bytes -= entry.answer.body.length
  }

  const keep = (key: string, group: Group, answer: Answer): void => {
    if (answer.status !== 200 && answer.status !== 404) return
    remove(key)
    const time = now()
    const freshUntil = time + (answer.status === 200 ? freshMs - random() * 10_000 : negativeMs)
    const keptUntil = answer.status === 200 ? time + freshMs + staleMs : freshUntil
    entries.set(key, { answer, group, generation, freshUntil, keptUntil, excusedUntil: 0 })
    bytes += answer.body.length
    for (const oldest of entries.keys()) {
      if (entries.size <= capacity && bytes <= maxBytes) break
      remove(oldest)
    }
  }

  /** What may be given without a read. */
  const fresh = (key: string): Answer | undefined => {
    const entry = entries.get(key)
    if (!entry) return undefined
    const time = now()
    const current = entry.group === 'page' || entry.generation === generation
    if (!(current && time < entry.freshUntil) && time >= entry.excusedUntil) return undefined
    entries.delete(key)
    entries.set(key, entry)
    return entry.answer
  }

  /** The stand-in for a failed read, if there is one. */
  const standIn = (key: string): Answer | undefined => {
    const entry = entries.get(key)
    if (!entry || now() >= entry.keptUntil) return undefined
    entry.excusedUntil = Math.min(now() + excuseMs, entry.keptUntil)
    return entry.answer
  }

  const fly = async (key: string, flight: Flight, load: () => Promise<Answer>): Promise<Answer> => {
    try {
      const answer = await load()
      if (failed(answer)) return standIn(key) ?? answer
      // A flight that is no longer listed was overtaken by a change: it may carry the old state.
      if (flights.get(key) === flight) keep(key, flight.group, answer)
      return answer
    } catch (error) {
      const known = standIn(key)
      if (known) return known
      throw error
    } finally {
      if (flights.get(key) === flight) flights.delete(key)
    }
  }

  /** The cached answer, or that of `load`, which runs once however many wait for it. Throws what `load` throws. */
  const read = (key: string, group: Group, load: () => Promise<Answer>): Promise<Answer> => {
    const known = fresh(key)
    if (known) return Promise.resolve(known)
    const flying = flights.get(key)
    if (flying) return flying.answer
    const flight = { group } as Flight
    flights.set(key, flight)
    flight.answer = fly(key, flight, load)
    return flight.answer
  }

  /** The key's state has changed: reads that began before are neither kept nor joined. */
  const outdate = (key: string, when: (known: Answer) => boolean = () => true): void => {
    flights.delete(key)
    const entry = entries.get(key)
    if (entry && when(entry.answer)) entry.freshUntil = entry.excusedUntil = 0
  }

  const outdateLists = (): void => {
    generation += 1
    for (const [key, { group }] of flights) if (group === 'list') flights.delete(key)
  }

  return { fresh, read, outdate, outdateLists, remove, size: () => entries.size }
}

export type ReadCache = ReturnType<typeof createReadCache>
