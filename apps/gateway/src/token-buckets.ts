export interface Quota {
  /** How many a caller may send at once; a bucket that is empty is full again after the window. */
  readonly quota: number
  readonly windowSeconds: number
}

export interface Taken {
  readonly allowed: boolean
  /** Whole tokens left. */
  readonly remaining: number
  /** Milliseconds until there is one more. */
  readonly nextMs: number
}

interface Bucket {
  /** When it will be full: ITU-T I.371's theoretical arrival time, the whole state of a token bucket. */
  fullAt: number
}

export interface BucketOptions {
  /** Callers that are remembered at least. */
  readonly capacity?: number
  /** Milliseconds, from a clock that nobody sets. */
  readonly now?: () => number
}

/**
 * A token bucket for each key, in memory. Two generations: a bucket that nobody touched for a whole window is full, so the
 * older generation can go as one. More callers than `capacity` within a window end a generation early, and those seen
 * longest ago begin anew: memory is bounded by twice the capacity, whoever comes.
 */
export const createTokenBuckets = (
  { quota, windowSeconds }: Quota,
  { capacity = 25_000, now = () => performance.now() }: BucketOptions = {},
) => {
  const windowMs = windowSeconds * 1000
  const tokenMs = windowMs / quota
  let young = new Map<string, Bucket>()
  let old = new Map<string, Bucket>()
  let begunAt = now()

  const bucketOf = (key: string, time: number): Bucket => {
    if (time - begunAt >= windowMs || young.size >= capacity) {
      old = young
      young = new Map()
      begunAt = time
    }
    const known = young.get(key)
    if (known) return known
    const bucket = old.get(key) ?? { fullAt: time }
    young.set(key, bucket)
    return bucket
  }

  /** Takes one token, or none when there is none. */
  const take = (key: string): Taken => {
    const time = now()
    const bucket = bucketOf(key, time)
    const debt = Math.max(bucket.fullAt - time, 0) + tokenMs
    // Sums of fractions are a little off.
    const left = (windowMs - debt) / tokenMs + 1e-3
    const allowed = left >= 0
    if (allowed) bucket.fullAt = time + debt
    const remaining = allowed ? Math.floor(left) : 0
    return { allowed, remaining, nextMs: (allowed ? remaining + 1 - left : -left) * tokenMs }
  }

  return { take, size: () => young.size + old.size }
}

export type TokenBuckets = ReturnType<typeof createTokenBuckets>
