/** The middle, and both ends: what a table shows of the rounds. */
export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

/** The value that the share `q` of the numbers does not exceed (nearest rank). Throws when there are none. */
export const quantile = (numbers: readonly number[], q: number): number => {
  const sorted = [...numbers].sort((a, b) => a - b)
  const found = sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)]
  if (found === undefined) throw new Error('no numbers, no quantile')
  return found
}

/** Of an even count the median is the mean of both middle ones. Throws when there are no numbers, or one is none. */
export const spread = (numbers: readonly number[]): Spread => {
  if (!numbers.every(Number.isFinite)) throw new Error(`not all are numbers: ${numbers}`)
  const min = quantile(numbers, 0)
  const lower = quantile(numbers, 0.5)
  const upper = [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? lower
  return { median: (lower + upper) / 2, min, max: quantile(numbers, 1) }
}

/** What each round's `numbers` are to the same round's `base`: drift of the machine between rounds is not in it. */
export const ratios = (numbers: readonly number[], base: readonly number[]): Spread => {
  if (numbers.length !== base.length) throw new Error('ratios need as many rounds of one as of the other')
  return spread(numbers.map((number, round) => number / (base[round] as number)))
}
