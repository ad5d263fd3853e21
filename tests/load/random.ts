/** A seeded source of choices: the same seed and stream give the same choices on any machine. */
export interface Random {
  /** In [0, 1). */
  readonly next: () => number
  /** An integer in [0, n). */
  readonly below: (n: number) => number
  readonly pick: <T>(list: readonly T[]) => T
}

/** sfc32 (PractRand's small fast counter) over four words; `stream` gives each run of a scenario choices of its own. */
export const openRandom = (seed: number, stream = 0): Random => {
  let a = seed | 0
  let b = stream | 0
  let c = 0x9e3779b9
  let counter = 1
  const next = () => {
    const sum = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (c << 21) | (c >>> 11)
    c = (c + sum) | 0
    return (sum >>> 0) / 4294967296
  }
  for (let round = 0; round < 15; round++) next()
  const below = (n: number) => Math.floor(next() * n)
  const pick = <T>(list: readonly T[]): T => {
    if (list.length === 0) throw new Error('nothing to pick from')
    return list[below(list.length)] as T
  }
  return { next, below, pick }
}

/**
 * Chooses ranks 0 to n-1, rank r with weight 1 / (r + 1)^exponent; an exponent of 0 is uniform. By inversion over the
 * cumulated weights.
 */
export const zipf = (n: number, exponent: number): ((random: Random) => number) => {
  if (exponent === 0) return (random) => random.below(n)
  const cumulated = new Float64Array(n)
  let sum = 0
  for (let rank = 0; rank < n; rank++) {
    sum += 1 / (rank + 1) ** exponent
    cumulated[rank] = sum
  }
  return (random) => {
    const wanted = random.next() * sum
    let [low, high] = [0, n - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((cumulated[middle] as number) > wanted) high = middle
      else low = middle + 1
    }
    return low
  }
}
