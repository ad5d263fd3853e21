import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'

/** Milliseconds. */
export interface Percentiles {
  readonly count: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly 'p99.9': number
  readonly max: number
}

const highestMicroseconds = 600_000_000

const summary = (histogram: RecordableHistogram): Percentiles => {
  const at = (percentile: number) => histogram.percentile(percentile) / 1000
  return {
    count: histogram.count,
    ...{ p50: at(50), p90: at(90), p99: at(99), 'p99.9': at(99.9), max: histogram.max / 1000 },
  }
}

/** High dynamic range histograms by step: microseconds with three figures. `record` takes milliseconds. */
export const openLatencies = () => {
  const histograms = new Map<string, RecordableHistogram>()
  return {
    record(step: string, milliseconds: number): void {
      let histogram = histograms.get(step)
      if (!histogram) {
        histogram = createHistogram({ lowest: 1, highest: highestMicroseconds, figures: 3 })
        histograms.set(step, histogram)
      }
      histogram.record(Math.min(highestMicroseconds, Math.max(1, Math.round(milliseconds * 1000))))
    },
    of: (step: string): Percentiles | undefined => {
      const histogram = histograms.get(step)
      return histogram && summary(histogram)
    },
    all: (): Record<string, Percentiles> =>
      Object.fromEntries([...histograms].map(([step, histogram]) => [step, summary(histogram)])),
  }
}

export type Latencies = ReturnType<typeof openLatencies>
