import { parseJson } from '@caravan/service-kit/body'
import { isWhole } from '@caravan/service-kit/content-digest'
import { AppError } from '@caravan/service-kit/errors'
import { isUnreached, repeatUnreached } from '@caravan/service-kit/repeat-unreached'
import { overLimit, type RawRequest, type Sidecar } from '@caravan/service-kit/sidecar'
import type { Answer } from './answer.ts'
import { refusals } from './rate-limits.ts'

/** Milliseconds; below a client's patience. The gateway's sidecar has no timeout of its own for apps. */
const deadlineMs = 1900

const passedBack = {
  'content-type': 'Content-Type',
  'content-disposition': 'Content-Disposition',
  etag: 'ETag',
  location: 'Location',
  'retry-after': 'Retry-After',
  'www-authenticate': 'WWW-Authenticate',
  'cache-control': 'Cache-Control',
  'idempotent-replayed': 'Idempotent-Replayed',
} as const

export type Forwarded = RawRequest & { readonly body?: Buffer; readonly headers: Record<string, string> }

export const unavailable = (app: string, cause?: unknown): AppError =>
  new AppError('unavailable', `${app}/unavailable`, 'Try again in a moment', { retryAfterSeconds: 1, cause })

/** What is the request's own fault, also where it is not an app that says so, but a server that could not read it. */
const faults = new Map([
  [400, 'request/malformed'],
  [413, 'request/too-large'],
  [414, 'request/uri-too-long'],
  [431, 'request/headers-too-large'],
])

/** What the sidecar itself said, in the terms of the public API. */
const refusal = (app: string, status: number, text: string): AppError => {
  const fault = faults.get(status)
  if (fault) return new AppError('invalid', fault, 'The request cannot be read', { status, cause: text })
  if (status === 401)
    return new AppError('unauthenticated', 'auth/invalid-token', 'The access token is not valid')
  if (status === 429) {
    refusals.inc({ limit: 'operation' })
    return overLimit(app)
  }
  return unavailable(app, `status ${status}: ${text.slice(0, 300)}`)
}

const parse = (body: Buffer): unknown => {
  try {
    return parseJson(body)
  } catch {
    return undefined
  }
}

/**
 * Sends a request to an app and gives its answer as it came, problems included. Throws `unavailable` when the app could
 * not be reached or its answer is not whole, 401 for a token that the sidecar refused, 429 when its rate limit did.
 * What reached no living replica of the app is asked again.
 */
export const createForward =
  (sidecar: Pick<Sidecar, 'invoke'>) =>
  async (app: string, request: Forwarded): Promise<Answer> => {
    const ask = async (leftMs: number) => {
      const { statusCode, headers, body } = await sidecar.invoke(app, { ...request, deadlineMs: leftMs })
      return { status: statusCode, headers, body: Buffer.from(await body.arrayBuffer()) }
    }
    const { status, headers, body } = await repeatUnreached(
      request.deadlineMs ?? deadlineMs,
      ask,
      ({ status, body }) => status === 500 && isUnreached(status, parse(body)),
    ).catch((cause) => {
      throw unavailable(app, cause)
    })
    const isProblem = String(headers['content-type']).startsWith('application/problem+json')
    if (status >= 400 && !isProblem) throw refusal(app, status, body.toString('latin1'))
    // An app's answer has a digest, or is a 204. What has none may be a stump, or the empty 200 that daprd 1.18 may make of a
    // connection that failed while another call was under way: the app may never have seen the request.
    if (status !== 204 && !isWhole(body, headers['content-digest']))
      throw unavailable(app, 'an answer that is not whole')
    return {
      status,
      headers: Object.fromEntries(
        Object.entries(passedBack).flatMap(([from, to]) =>
          headers[from] ? [[to, String(headers[from])]] : [],
        ),
      ),
      body,
    }
  }

export type Forward = ReturnType<typeof createForward>
