import { createHmac, timingSafeEqual } from 'node:crypto'
import { AppError } from '@caravan/service-kit/errors'
import type { Log } from '@caravan/service-kit/log'
import { z } from 'zod'
import { charge } from './provider.ts'
import type { Resolve } from './resolve.ts'

const toleranceSeconds = 300
const notice = z.object({ id: z.string(), type: z.string(), data: z.object({ charge: z.unknown() }) })
/** Others are taken and change nothing. */
const known = new Set(['charge.captured', 'charge.declined', 'charge.disputed'])

const refuse = () =>
  new AppError('unauthenticated', 'payments/bad-signature', 'Not signed by the provider, or too old')

/**
 * Checks `Psp-Signature: t=<unix seconds>,v1=<hex>`: HMAC-SHA256 over `<t>.<raw body>`, at most five minutes from now
 * (the scheme of https://docs.stripe.com/webhooks#verify-manually). Throws 401.
 */
export const verifySignature = (header: string, body: Buffer, secret: string, now = Date.now()): void => {
  const match = /^t=(\d{1,12}),v1=([0-9a-f]{64})$/.exec(header)
  if (!match || Math.abs(now / 1000 - Number(match[1])) > toleranceSeconds) throw refuse()
  const expected = createHmac('sha256', secret).update(`${match[1]}.`).update(body).digest()
  if (!timingSafeEqual(expected, Buffer.from(String(match[2]), 'hex'))) throw refuse()
}

/** What the provider tells, first, last, twice or never: each has the effect of the truth, once. */
export const createWebhook =
  (secret: string, { apply }: Resolve, log: Log) =>
  async (signature: string, raw: Buffer): Promise<void> => {
    verifySignature(signature, raw, secret)
    const { id, type, data } = notice.parse(JSON.parse(raw.toString('utf8')))
    log.info({ webhook: type, webhook_id: id }, 'provider webhook')
    if (!known.has(type)) return
    const told = charge.parse(data.charge)
    if (type === 'charge.disputed') log.error({ payment_id: told.reference }, 'charge disputed')
    else await apply(told)
  }
