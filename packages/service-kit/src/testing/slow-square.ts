import { serveCalls } from '../in-worker.ts'

/** Squares after so many milliseconds of work; dies of -1, throws at -2, never ends at -3. */
serveCalls(async ({ value, ms }: { value: number; ms: number }) => {
  if (value === -1) process.exit(1)
  if (value === -2) throw new RangeError('no square')
  if (value === -3) await new Promise(() => {})
  for (const end = performance.now() + ms; performance.now() < end; );
  return value * value
})
