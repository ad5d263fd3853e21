/** Something that goes wrong the nth time that something happens. */
export interface Fault {
  /** What happens: a statement, a leg of a call, a delivery. */
  readonly on: string
  /** From 0. */
  readonly nth: number
  readonly kind: FaultKind
  /** How long it takes, or how long the process stays down. */
  readonly ms: number
}

export type FaultKind =
  | 'slow'
  | 'crash-before'
  | 'crash-after'
  | 'broken-before'
  | 'broken-after'
  | 'lost'
  | 'reset'
  | 'twice'
  | 'never'
  | 'refused'
  | 'skewed'
  | 'flushed'

/** Counts what happens while it is armed, and tells what goes wrong with it. */
export const createFaults = (planned: readonly Fault[]) => {
  const byPlace = Map.groupBy(planned, ({ on }) => on)
  const counts = new Map<string, number>()
  const met: Fault[] = []
  let armed = false

  return {
    arm: (on: boolean): void => {
      armed = on
    },
    /** The faults of this occurrence. */
    at: (place: string): readonly Fault[] => {
      if (!armed) return []
      const here = byPlace.get(place)
      if (!here) return []
      const count = counts.get(place) ?? 0
      counts.set(place, count + 1)
      const due = here.filter(({ nth }) => nth === count)
      met.push(...due)
      return due
    },
    /** Those that came to pass. */
    met: (): readonly Fault[] => met,
  }
}

export type Faults = ReturnType<typeof createFaults>
