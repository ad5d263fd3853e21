// Sums of money and what they are divided by: whole numbers, none below 0. A product may be beyond 2^53, a result is not.

/** a × b / c as a whole number, and what is left over. */
const divide = (a: number, b: number, c: number): readonly [whole: number, left: number] => {
  const product = a * b
  if (product <= Number.MAX_SAFE_INTEGER) return [Math.floor(product / c), product % c]
  const exact = BigInt(a) * BigInt(b)
  return [Number(exact / BigInt(c)), Number(exact % BigInt(c))]
}

export const sumOf = (amounts: readonly number[]): number => amounts.reduce((sum, each) => sum + each, 0)

/** a × b / c as the nearest multiple of a step; from the middle between two of them, the higher. */
export const proportion = (a: number, b: number, c: number, step: number): number => {
  const [whole, left] = divide(a, b, c * step)
  return (2 * left >= c * step ? whole + 1 : whole) * step
}

/**
 * Divides a sum, a multiple of the step, by weights: the parts are multiples of it too, and add up to the sum. Each is its exact
 * share cut to the step, and one step more for the largest remainders; of equal remainders the first (Hamilton's method). So no
 * part of a sum that is at most the weights' is above its weight.
 */
export const spread = (sum: number, weights: readonly number[], step: number): number[] => {
  const whole = sumOf(weights)
  if (sum === 0) return weights.map(() => 0)
  if (whole === 0) throw new RangeError('a sum cannot be divided by no weight')
  const shares = weights.map((weight) => divide(sum, weight, whole * step))
  const missing = sum / step - sumOf(shares.map(([steps]) => steps))
  const favoured = new Set(
    shares
      .map(([, left], index) => ({ left, index }))
      .sort((a, b) => b.left - a.left)
      .slice(0, missing)
      .map(({ index }) => index),
  )
  return shares.map(([steps], index) => (favoured.has(index) ? steps + 1 : steps) * step)
}
