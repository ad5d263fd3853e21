import { AsyncLocalStorage } from 'node:async_hooks'
import { randomHex } from './ids.ts'

/** W3C Trace Context, level 1: what one unit of work (a request, an event) carries. */
export interface Trace {
  readonly traceId: string
  readonly spanId: string
  readonly flags: string
}

const storage = new AsyncLocalStorage<Trace>()
const pattern = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/

/** Runs work as a child of the given `traceparent`, or as a new trace where there is none or it is malformed. */
export const runInTrace = <T>(parent: string | undefined, work: () => T): T => {
  const match = parent ? pattern.exec(parent) : null
  const trace = {
    traceId: match?.[1] ?? randomHex(16),
    spanId: randomHex(8),
    flags: match?.[3] ?? '01',
  }
  return storage.run(trace, work)
}

/** Of a `traceparent`, or else of the current work. */
export const traceIdOf = (parent?: string): string | undefined =>
  (parent ? pattern.exec(parent)?.[1] : undefined) ?? storage.getStore()?.traceId

export const currentTrace = (): Trace | undefined => storage.getStore()

/** The header value for calls that the current work makes; undefined outside any work. */
export const traceparent = (): string | undefined => {
  const trace = storage.getStore()
  return trace && `00-${trace.traceId}-${trace.spanId}-${trace.flags}`
}
