import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { problem } from '@caravan/contracts/common'
import { invokedPath, type Operation, parametersOf } from '@caravan/contracts/operation'
import { isWhole } from '@caravan/service-kit/content-digest'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { stack } from '../support/stack.ts'

/** What of a contract's operation a caller needs. Its schemas' types do not matter here. */
// biome-ignore lint/suspicious/noExplicitAny: operations of every kind
export type AnyOperation = Operation<any, any, any, any>

export interface Input {
  readonly params?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string>>
  readonly body?: unknown
}

export interface By {
  /** The app whose sidecar is asked: the caller's name, where only apps may call. */
  readonly through?: string
  /** An access token; nobody's without one. */
  readonly token?: string | undefined
  /** Given: that key. Not given: a new one for an idempotent operation. `null`: none. */
  readonly key?: string | null
  /** A body as it is, instead of the input's as JSON. */
  readonly raw?: string
  readonly headers?: Readonly<Record<string, string>>
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: held to the contract's schema before anybody reads it
  readonly body: any
  readonly text: string
  readonly bytes: Buffer
}

/** Apps that ask the others for nothing but identity's keys: a breaker that opens in their sidecars is in nobody's way. */
export const strangers = ['identity', 'catalog', 'carts', 'inventory']
let turn = 0

/** By turns, because refusals are the point here, and ten of them in a row open a sidecar's breaker for seconds. */
const strangerTo = (app: string): string => {
  const others = strangers.filter((name) => name !== app)
  turn += 1
  return String(others[turn % others.length])
}

/** Sends a request to whatever answers to an app id, through the sidecar of another app and as that app would. */
export const invoke = async (
  app: string,
  method: string,
  path: string,
  { through, token, headers = {} }: By = {},
  body?: string,
): Promise<Answer> => {
  const send = async (caller: string) => {
    const { ports } = stack.process(`${caller}.sidecar`)
    const response = await fetch(`http://127.0.0.1:${ports.http}/v1.0/invoke/${app}/method${path}`, {
      method,
      headers: {
        'dapr-api-token': String(stack.tokens[caller]?.dapr),
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body ?? null,
      signal: AbortSignal.timeout(20_000),
    })
    const bytes = Buffer.from(await response.arrayBuffer())
    const text = bytes.toString()
    return { status: response.status, headers: response.headers, bytes, text, body: parseJson(text) }
  }
  return eventually(`${app} can be asked`, async () => {
    const answer = await send(through ?? strangerTo(app))
    return !(answer.status >= 500 && /circuit breaker is open/.test(answer.text)) && answer
  })
}

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Asks for an operation, and holds the answer to the contract: its own schema, or that of a problem. */
export const ask = async (operation: AnyOperation, input: Input = {}, by: By = {}): Promise<Answer> => {
  for (const name of parametersOf(operation))
    assert.ok(input.params?.[name] !== undefined, `${operation.id} needs ${name}`)
  const path = invokedPath(operation)
  const query = new URLSearchParams({ ...input.params, ...input.query })
  const key = by.key === undefined && operation.idempotent ? randomUUID() : by.key
  const headers = { ...(key ? { 'idempotency-key': key } : {}), ...by.headers }
  const body = by.raw ?? (input.body === undefined ? undefined : JSON.stringify(input.body))
  const answer = await invoke(
    operation.app,
    operation.method,
    query.size > 0 ? `${path}?${query}` : path,
    { ...by, headers },
    body,
  )
  assertKept(operation, answer)
  return answer
}

const assertKept = (operation: AnyOperation, { status, headers, body, text, bytes }: Answer): void => {
  const what = `${operation.id} answered ${status} ${text}`
  const type = String(headers.get('content-type'))
  if (text !== '')
    assert.ok(isWhole(bytes, headers.get('content-digest') ?? undefined), `${what} without its digest`)
  if (status >= 400) {
    assert.match(type, /^application\/problem\+json/, what)
    const parsed = problem.safeParse(body)
    assert.ok(parsed.success, `${what}: ${parsed.error}`)
    assert.equal(parsed.data.status, status, what)
    assert.match(parsed.data.code, /^[a-z-]+\/[a-z-]+$/, what)
    return
  }
  assert.equal(status, operation.status, what)
  if (operation.media) {
    assert.ok(
      operation.media.some((each) => type.startsWith(each)),
      `${what.slice(0, 300)} as ${type}`,
    )
    assert.ok(bytes.length > 0)
    return
  }
  if (!operation.response) {
    assert.equal(text, '', what)
    return
  }
  assert.match(type, /^application\/json/, what)
  const parsed = operation.response.safeParse(body)
  assert.ok(parsed.success, `${what}: ${parsed.error}`)
  // A response is an allow list: what the schema does not name must not be there.
  assert.deepEqual(parsed.data, body, what)
}

/** The answer's body when it is the operation's own status; throws for a problem. */
export const get = async (
  operation: AnyOperation,
  input: Input = {},
  by: By = {},
): Promise<Answer['body']> => {
  const answer = await ask(operation, input, by)
  assert.equal(answer.status, operation.status, `${operation.id}: ${answer.text}`)
  return answer.body
}

/** Asks for what must be refused: with this status and code. */
export const refused = async (
  expected: readonly [status: number, code: string],
  operation: AnyOperation,
  input: Input = {},
  by: By = {},
): Promise<Answer['body']> => {
  const { status, body, text } = await ask(operation, input, by)
  assert.deepEqual([status, body?.code], expected, `${operation.id}: ${text}`)
  return body
}
