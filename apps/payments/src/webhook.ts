import { createHmac, timingSafeEqual } from 'node:crypto'
import { parseJson } from '@caravan/service-kit/body'
import { AppError } from '@caravan/service-kit/errors'
import type { Log } from '@caravan/service-kit/log'
import { z } from 'zod'
import { charge } from './provider.ts'
import type { Resolve } from './resolve.ts'

const toleranceSeconds = 300
/** Times in one header that are tried: each costs a digest of the body. */
const mostTimes = 4
/** All that news of a type which is not known here has to have. */
const notice = z.object({ id: z.string().optional(), type: z.string() })
const chargeNotice = z.object({ data: z.object({ charge }) })
/** Others are taken and change nothing. */
const known = new Set(['charge.captured', 'charge.declined', 'charge.disputed'])

const refuse = () =>
  new AppError('unauthenticated', 'payments/bad-signature', 'Not signed by the provider, or too old')

/** The values of a header's `name=value` elements, of all its lines. */
const valuesOf = (header: string, name: string): string[] =>
  header
    .split(',')
    .map((element) => element.trim().split('='))
    .flatMap(([key, value]) => (key === name && value ? [value] : []))

/**
 * Checks `Psp-Signature: t=<unix seconds>,v1=<hex>`: HMAC-SHA256 over `<t>.<raw body>`, at most five minutes from now
 * (the scheme of https://docs.stripe.com/webhooks#verify-manually). As there, elements come in any order, several `v1` are
 * of several secrets, and one of them is enough; elements that are not known here are later versions'. Throws 401.
 */
export const verifySignature = (header: string, body: Buffer, secret: string, now = Date.now()): void => {
  const times = [...new Set(valuesOf(header, 't'))].filter(
    (t) => /^\d{1,12}$/.test(t) && Math.abs(now / 1000 - Number(t)) <= toleranceSeconds,
  )
  const signatures = valuesOf(header, 'v1')
    .filter((hex) => /^[0-9a-f]{64}$/i.test(hex))
    .map((hex) => Buffer.from(hex, 'hex'))
  const isSigned = times.slice(0, mostTimes).some((t) => {
    const expected = createHmac('sha256', secret).update(`${t}.`).update(body).digest()
    return signatures.some((signature) => timingSafeEqual(expected, signature))
  })
  if (!isSigned) throw refuse()
}

/** What the provider tells, first, last, twice or never: each has the effect of the truth, once. */
export const createWebhook = (secret: string, { apply }: Resolve, log: Log) => {
  /** Throws 422 for what the provider signed and nobody here can read: it is for a person to look at. */
  const read = <T extends z.ZodType>(schema: T, value: unknown): z.output<T> => {
    const result = schema.safeParse(value)
    if (result.success) return result.data
    log.error({ err: result.error }, 'a signed webhook is not as agreed with the provider')
    throw new AppError('invalid', 'payments/unreadable-webhook', 'Signed, but not as agreed')
  }
  const parse = (raw: Buffer): unknown => {
    try {
      return parseJson(raw)
    } catch {
      return undefined
    }
  }

  return async (signature: string, raw: Buffer): Promise<void> => {
    verifySignature(signature, raw, secret)
    const body = parse(raw)
    const { id, type } = read(notice, body)
    log.info({ webhook: type, webhook_id: id }, 'provider webhook')
    if (!known.has(type)) return
    const told = read(chargeNotice, body).data.charge
    if (type === 'charge.disputed') log.error({ payment_id: told.reference }, 'charge disputed')
    else await apply(told)
  }
}
