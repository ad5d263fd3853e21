import type { IncomingHttpHeaders } from 'node:http'

/**
 * In which the gateway tells an app the client's address. Not X-Forwarded-For: by that a sidecar's rate limits tell callers apart, and
 * the gateway's sidecar is to see one.
 */
export const addressHeader = 'caravan-client-address'

/** Who a request came from, as the gateway told it. */
export const clientOf = (headers: IncomingHttpHeaders): { userAgent: string; address: string } => ({
  userAgent: (headers['user-agent'] ?? '').slice(0, 300),
  address: String(headers[addressHeader] ?? ''),
})
