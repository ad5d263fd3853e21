import { pino } from 'pino'
import { currentTrace } from './trace.ts'

export type Log = pino.Logger

/** mysql2 hangs the whole statement, values and all, on its errors. */
const withoutValues = (error: Error) => {
  const { sql: _, parameters: __, ...rest } = pino.stdSerializers.err(error)
  return rest
}

/** JSON lines on stdout, each with the trace that it belongs to. ERROR means that a person must act. */
export const createLog = (service: string, level: string): Log =>
  pino({
    level,
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    mixin: () => {
      const trace = currentTrace()
      return trace ? { trace_id: trace.traceId, span_id: trace.spanId } : {}
    },
    redact: {
      paths: [
        'authorization',
        'password',
        'token',
        'secret',
        'cookie',
        '*.authorization',
        '*.password',
        '*.token',
        '*.accessToken',
        '*.secret',
        '*.cookie',
        'headers["dapr-api-token"]',
        'headers["idempotency-key"]',
      ],
      censor: '[redacted]',
    },
    serializers: { err: withoutValues },
  })
