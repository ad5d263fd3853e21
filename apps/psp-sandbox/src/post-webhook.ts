const TIMEOUT_MS = 5_000

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
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'psp-signature': signature },
      body,
      redirect: 'manual',
      signal: stop ? AbortSignal.any([timeout, stop]) : timeout,
    })
    // Only the status counts; a receiver may not make us read.
    await response.body?.cancel()
    return { status: response.status, error: null }
  } catch (error) {
    return { status: null, error: reasonOf(error) }
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  const { cause } = error
  if (cause instanceof Error && 'code' in cause) return String(cause.code)
  return error.name
}
