import type { Stack } from '../../tools/launcher/stack.ts'

export interface SidecarAsk {
  /** `dapr-api-token`: the app's own unless given; `null`: none. */
  readonly token?: string | null
  readonly body?: unknown
  readonly headers?: Record<string, string>
}

export interface SidecarAnswer {
  readonly status: number
  readonly text: string
  /** What the sidecar itself calls its refusal; undefined for what an app answered. */
  readonly errorCode: string | undefined
}

export const askAt = async (port: number, method: string, path: string, ask: SidecarAsk = {}) => {
  const { token, body, headers } = ask
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token ? { 'dapr-api-token': token } : {}),
      ...headers,
    },
    body: body === undefined ? null : JSON.stringify(body),
    signal: AbortSignal.timeout(20_000),
  })
  const text = await response.text()
  const errorCode = /^\{"errorCode":"(\w+)"/.exec(text)?.[1]
  return { status: response.status, text, errorCode } satisfies SidecarAnswer
}

/** Asks an app's sidecar as that app would. */
export const sidecarsOf =
  (stack: Stack) =>
  (app: string, method: string, path: string, ask: SidecarAsk = {}): Promise<SidecarAnswer> =>
    askAt(Number(stack.process(`${app}.sidecar`).ports.http), method, path, {
      ...ask,
      token: ask.token === undefined ? String(stack.tokens[app]?.dapr) : ask.token,
    })
