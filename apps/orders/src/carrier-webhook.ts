import { createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { parcelNews } from '@caravan/contracts/fulfilment'
import { parseJson } from '@caravan/service-kit/body'
import { AppError } from '@caravan/service-kit/errors'
import type { Log } from '@caravan/service-kit/log'
import { hear } from './domain/fulfilment.ts'
import type { Fulfilments } from './fulfilments.ts'

const toleranceSeconds = 300

/** `whsec_` and the key in base64, as the specification has it. */
const keyOf = (secret: string): Buffer => Buffer.from(secret.replace(/^whsec_/, ''), 'base64')

/**
 * Checks a webhook by https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md: HMAC-SHA256 over
 * `<id>.<timestamp>.<body>`, at most five minutes from now; one of several signatures is enough. Throws 401.
 */
export const verifyStandardWebhook = (
  headers: IncomingHttpHeaders,
  body: Buffer,
  secret: string,
  now = Date.now(),
): void => {
  const [id, timestamp, signatures] = ['id', 'timestamp', 'signature'].map((name) =>
    String(headers[`webhook-${name}`] ?? ''),
  ) as [string, string, string]
  const isOfNow = /^\d{1,12}$/.test(timestamp) && Math.abs(now / 1000 - Number(timestamp)) <= toleranceSeconds
  const expected = createHmac('sha256', keyOf(secret)).update(`${id}.${timestamp}.`).update(body).digest()
  const isSigned = signatures
    .split(' ', 10)
    .filter((each) => each.startsWith('v1,'))
    .map((each) => Buffer.from(each.slice(3), 'base64'))
    .some((given) => given.length === expected.length && timingSafeEqual(given, expected))
  if (!id || !isOfNow || !isSigned)
    throw new AppError('unauthenticated', 'orders/bad-signature', 'Not signed by a carrier, or too old')
}

/** News of parcels, first, last, twice or never: each has the effect of the truth, once. Those of unknown parcels have none. */
export const createCarrierWebhook =
  (secret: string, fulfilments: Fulfilments, log: Log) =>
  async (carrier: string, headers: IncomingHttpHeaders, raw: Buffer): Promise<void> => {
    verifyStandardWebhook(headers, raw, secret)
    const read = (): unknown => {
      try {
        return parseJson(raw)
      } catch {
        return undefined
      }
    }
    const news = parcelNews.safeParse(read())
    if (!news.success) {
      log.error({ err: news.error, carrier }, 'a signed webhook is not as agreed with the carrier')
      throw new AppError('invalid', 'orders/unreadable-webhook', 'Signed, but not as agreed')
    }
    const { trackingNumber, status } = news.data
    const at = new Date(news.data.at).toISOString()
    const parcels = await fulfilments.tracked(carrier, trackingNumber)
    if (parcels.length === 0) log.info({ carrier }, 'news of a parcel that is not known here')
    for (const { id, orderId } of parcels)
      await fulfilments.update(
        orderId,
        () => undefined,
        (fulfilment) => hear(fulfilment, id, { status, at }),
      )
  }
