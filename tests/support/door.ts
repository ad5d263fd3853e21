import { randomInt, randomUUID } from 'node:crypto'

export interface Answer<T = Record<string, never>> {
  readonly status: number
  readonly headers: Headers
  /** The JSON body; undefined where there is none. */
  readonly body: T
  readonly text: string
}

export interface Ask {
  readonly token?: string
  readonly body?: unknown
  /** A body that is not JSON, or not valid. */
  readonly raw?: string | Buffer
  /** Given: that key. Not given: a new key for each POST. `null`: none. */
  readonly key?: string | null
  readonly headers?: Record<string, string>
  readonly withinMs?: number
}

/** The public door, as a client sees it. */
export const openDoor = (url: string) => {
  // biome-ignore lint/suspicious/noExplicitAny: an answer is whatever came; the tests assert what it should be
  return async <T = any>(method: string, path: string, ask: Ask = {}): Promise<Answer<T>> => {
    const key = ask.key === undefined && method === 'POST' ? randomUUID() : ask.key
    const body = ask.raw ?? (ask.body === undefined ? undefined : JSON.stringify(ask.body))
    const response = await fetch(new URL(path, url), {
      method,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(ask.token ? { authorization: `Bearer ${ask.token}` } : {}),
        ...(key ? { 'idempotency-key': key } : {}),
        ...ask.headers,
      },
      body: (body ?? null) as never,
      signal: AbortSignal.timeout(ask.withinMs ?? 20_000),
    })
    const text = await response.text()
    let parsed: unknown
    try {
      parsed = text === '' ? undefined : JSON.parse(text)
    } catch {
      parsed = undefined
    }
    return { status: response.status, headers: response.headers, body: parsed as T, text }
  }
}

export type Door = ReturnType<typeof openDoor>

/** An address that nobody else comes from (RFC 5737 and RFC 2544 have too few). For a gateway that trusts us as its proxy. */
export const newAddress = (): string =>
  `100.${[64 + randomInt(64), randomInt(256), 1 + randomInt(254)].join('.')}`
