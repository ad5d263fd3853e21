import type { IncomingHttpHeaders } from 'node:http'

/** Who a request came from, as the gateway told it. What sidecars add to the list of addresses stands behind that. */
export const clientOf = (headers: IncomingHttpHeaders): { userAgent: string; address: string } => ({
  userAgent: (headers['user-agent'] ?? '').slice(0, 300),
  address:
    String(headers['x-forwarded-for'] ?? '')
      .split(',')[0]
      ?.trim() ?? '',
})
