import { request } from 'undici'

const TIMEOUT_MS = 5_000
const MOST_READ_BYTES = 16 * 1024

export type Outcome = { status: number | null; error: string | null }

/** Posts one signed body, without following redirects. Never throws: no answer in 5 s is an outcome too. */
export async function postWebhook(
  url: string,
  body: string,
  signature: string,
  stop?: AbortSignal,
): Promise<Outcome> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS)
  try {
    const response = await request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'psp-signature': signature },
      body,
      signal: stop ? AbortSignal.any([timeout, stop]) : timeout,
    })
    // Only the status counts; what little came is read for the connection's sake, and a receiver may not make us read more.
    await response.body.dump({ limit: MOST_READ_BYTES }).catch(() => {})
    return { status: response.statusCode, error: null }
  } catch (error) {
    return { status: null, error: reasonOf(error) }
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}
