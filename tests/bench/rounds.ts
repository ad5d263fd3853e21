/** What one leg of one round came to. */
export interface Sample {
  /** Operations a second. */
  readonly rate: number
  /** Milliseconds of one operation. */
  readonly p50: number
  readonly p99: number
  /** Milliseconds of CPU for one operation, by process. */
  readonly cpu: Readonly<Record<string, number>>
  /** Other figures, by what they are. */
  readonly more?: Readonly<Record<string, number>>
}

/** One of the alternatives that a part sets side by side. */
export interface Leg {
  readonly name: string
  /** Does it for about so long. Throws when any operation fails. */
  readonly run: (milliseconds: number) => Promise<Sample>
}

export interface Part {
  readonly letter: string
  readonly title: string
  /** What is compared, and what one operation is. */
  readonly about: string
  /** The one that the ratios are to. */
  readonly base: string
  readonly legs: readonly Leg[]
  readonly legMs: number
  /** Before each leg; 0 where the legs see to that themselves. */
  readonly warmUpMs: number
  readonly close: () => Promise<void>
}

export type Samples = ReadonlyMap<string, readonly Sample[]>

/** Every leg once a round, one after another, each after a warm-up that does not count. */
export const alternate = async (
  { legs, legMs, warmUpMs }: Pick<Part, 'legs' | 'legMs' | 'warmUpMs'>,
  rounds: number,
  tell: (round: number, leg: string, sample: Sample) => void,
): Promise<Samples> => {
  const samples = new Map(legs.map(({ name }): [string, Sample[]] => [name, []]))
  for (let round = 1; round <= rounds; round += 1) {
    for (const { name, run } of legs) {
      if (warmUpMs > 0) await run(warmUpMs)
      const sample = await run(legMs)
      samples.get(name)?.push(sample)
      tell(round, name, sample)
    }
  }
  return samples
}
