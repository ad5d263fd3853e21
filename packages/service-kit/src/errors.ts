import type { Problem } from '@caravan/contracts/common'

const statusOf = {
  invalid: 422,
  unauthenticated: 401,
  forbidden: 403,
  'not-found': 404,
  conflict: 409,
  'too-many': 429,
  unavailable: 503,
} as const

export type ErrorKind = keyof typeof statusOf

export interface ErrorDetails {
  /** Where the kind's own status is not the exact one: 400, 402, 413, 415. */
  readonly status?: number
  /** One entry a faulty field; `pointer` is a JSON Pointer (RFC 6901) into the body, or `query/…`, `params/…`. */
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[]
  /** Extra members of the problem, for outcomes that carry data. */
  readonly data?: Readonly<Record<string, unknown>>
  readonly retryAfterSeconds?: number
  readonly cause?: unknown
}

/** The one error that a caller may see. `code` is `<service>/<what>` and stable; the message is for people. */
export class AppError extends Error {
  readonly kind: ErrorKind
  readonly code: string
  readonly status: number
  readonly details: ErrorDetails

  constructor(kind: ErrorKind, code: string, message: string, details: ErrorDetails = {}) {
    super(message, { cause: details.cause })
    this.name = 'AppError'
    this.kind = kind
    this.code = code
    this.status = details.status ?? statusOf[kind]
    this.details = details
  }
}

const unavailableCodes = new Set([
  'PROTOCOL_CONNECTION_LOST',
  'PROTOCOL_ENQUEUE_AFTER_FATAL_ERROR',
  'ER_SERVER_SHUTDOWN',
  'ER_CONNECTION_KILLED',
  'ER_CON_COUNT_ERROR',
  'ER_OPTION_PREVENTS_STATEMENT',
  'ER_LOCK_DEADLOCK',
  'ER_LOCK_WAIT_TIMEOUT',
  'ER_STATEMENT_TIMEOUT',
  // The disk is full: of a table, a temporary one, the log.
  'ER_DISK_FULL',
  'ER_RECORD_FILE_FULL',
  'ER_ERROR_ON_WRITE',
  'ER_ERROR_DURING_COMMIT',
])

/** A network error has the system call that failed; mysql2 marks what ended the connection as fatal. */
const isUnavailable = (error: unknown): boolean => {
  if (!(error instanceof Error)) return false
  const { code, syscall, fatal } = error as { code?: unknown; syscall?: unknown; fatal?: unknown }
  if (fatal === true || typeof syscall === 'string') return true
  if (typeof code === 'string' && unavailableCodes.has(code)) return true
  return error.name === 'KnexTimeoutError' || /closed state|server has gone away/i.test(error.message)
}

/** Any thrown value as an AppError; undefined when it is a defect of ours, about which nothing may leak. */
export const asAppError = (error: unknown): AppError | undefined => {
  if (error instanceof AppError) return error
  if (isUnavailable(error)) {
    return new AppError('unavailable', 'database/unavailable', 'Try again in a moment', {
      retryAfterSeconds: 1,
      cause: error,
    })
  }
  return undefined
}

const titles: Record<number, string> = {
  400: 'Malformed request',
  401: 'Authentication needed',
  402: 'Payment declined',
  403: 'Not allowed',
  404: 'Not found',
  405: 'Method not allowed',
  409: 'Conflict',
  412: 'Precondition failed',
  413: 'Too large',
  414: 'URI too long',
  415: 'Unsupported media type',
  422: 'Invalid request',
  429: 'Too many requests',
  431: 'Header fields too large',
  500: 'Internal error',
  503: 'Unavailable',
}

/** RFC 9457. An unknown error becomes a bare 500. */
export const toProblem = (
  error: AppError | undefined,
  traceId?: string,
): Problem & Record<string, unknown> => {
  const status = error?.status ?? 500
  const code = error?.code ?? 'internal-error'
  return {
    ...error?.details.data,
    type: `urn:caravan:problem:${code.replace('/', ':')}`,
    title: titles[status] ?? 'Error',
    status,
    code,
    ...(error ? { detail: error.message } : {}),
    ...(error?.details.errors ? { errors: [...error.details.errors] } : {}),
    ...(traceId ? { traceId } : {}),
  }
}

const kindOf = (status: number): ErrorKind => {
  const match = Object.entries(statusOf).find(([, value]) => value === status)
  if (match) return match[0] as ErrorKind
  return status >= 500 ? 'unavailable' : 'invalid'
}

const ownMembers = new Set(['type', 'title', 'status', 'code', 'detail', 'errors', 'traceId'])

/** The AppError that another service answered with, to be handled or passed on as it is. */
export const fromProblem = (status: number, problem: Problem & Record<string, unknown>): AppError => {
  const data = Object.fromEntries(Object.entries(problem).filter(([name]) => !ownMembers.has(name)))
  return new AppError(kindOf(status), problem.code, problem.detail ?? problem.title, {
    status,
    ...(problem.errors ? { errors: problem.errors } : {}),
    ...(Object.keys(data).length > 0 ? { data } : {}),
  })
}
