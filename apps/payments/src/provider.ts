import { parseJson } from '@caravan/service-kit/body'
import { AppError } from '@caravan/service-kit/errors'
import { failpoint } from '@caravan/service-kit/failpoint'
import type { Sidecar } from '@caravan/service-kit/sidecar'
import { z } from 'zod'

/** Any text, as far as it can be kept. */
const code = z.string().transform((text) => text.replace(/[^\x20-\x7e]/g, '?').slice(0, 64))

/** What the shop reads of the provider's answers; the rest is the provider's own affair. */
export const charge = z.object({
  id: z.string(),
  /** `captured`, `declined`, or one that says nothing of the money yet. */
  status: z.string(),
  declineCode: code.nullish(),
  amount: z.int(),
  currency: z.string(),
  /** The payment's id. */
  reference: z.string(),
})
export type Charge = z.infer<typeof charge>

const chargePage = z.object({ data: z.array(charge), hasMore: z.boolean() })
const refusal = z.object({ code: code.nullish(), declineCode: code.nullish() })

/** The key came before: with another request, or with one that goes on. Either may have had its effect. */
const ofKey = new Set(['psp/idempotency-key-reused', 'psp/idempotency-key-in-flight'])

/** Whether an answer says that the provider did nothing and will not for the same request: a defect of ours, or of our settings. */
const isRefusal = (status: number, code?: string | null): boolean =>
  status >= 400 && status < 500 && status !== 408 && status !== 429 && !ofKey.has(code ?? '')

export interface ChargeRequest {
  readonly paymentId: string
  readonly amount: number
  readonly currency: string
  readonly paymentMethod: string
}

/**
 * `unknown`: no answer came, so the charge may or may not exist. `no-such-method`: the shopper's token is none of the provider's.
 * `refused`: the provider did not take the request, which is no fault of the shopper's; there is no charge.
 */
export type ChargeOutcome =
  | { readonly outcome: 'captured'; readonly chargeId: string }
  | { readonly outcome: 'declined'; readonly declineCode: string }
  | { readonly outcome: 'no-such-method' }
  | { readonly outcome: 'refused'; readonly status: number; readonly code: string }
  | { readonly outcome: 'unknown' }

/**
 * The card provider, reached through the sidecar's HTTPEndpoint `psp`, which adds the API key. The sidecar never repeats a
 * call to it; what is repeated here goes under the same idempotency key.
 */
export const createProvider = (sidecar: Sidecar) => {
  const send = async (method: 'GET' | 'POST', path: string, idempotencyKey?: string, request?: unknown) => {
    failpoint('before-provider-call')
    const response = await sidecar.invoke('psp', {
      method,
      path,
      headers: {
        accept: 'application/json',
        ...(request ? { 'content-type': 'application/json' } : {}),
        ...(idempotencyKey ? { 'idempotency-key': idempotencyKey } : {}),
      },
      body: request ? JSON.stringify(request) : null,
      deadlineMs: 6000,
    })
    failpoint('after-provider-call')
    // What breaks off, or is no JSON, says nothing; the status may say enough.
    const body = await response.body
      .bytes()
      .then(parseJson)
      .catch(() => undefined)
    return { status: response.statusCode, body }
  }

  const read = async <T extends z.ZodType>(path: string, schema: T): Promise<z.output<T>> => {
    const { status, body } = await send('GET', path)
    const parsed = schema.safeParse(body)
    if (status === 200 && parsed.success) return parsed.data
    throw new AppError('unavailable', 'payments/provider-unavailable', `The provider said ${status}`)
  }

  return {
    /** One effect a payment id, however often it is asked. Never throws for want of an answer. */
    charge: async ({ paymentId, ...request }: ChargeRequest): Promise<ChargeOutcome> => {
      try {
        const { status, body } = await send('POST', '/v1/charges', paymentId, {
          ...request,
          reference: paymentId,
        })
        if (status === 201) {
          // An answer that cannot be read is none: the charge is there, and `resolve` or the webhook tells what it is.
          const made = charge.safeParse(body).data
          if (made?.status === 'captured') return { outcome: 'captured', chargeId: made.id }
          return { outcome: 'unknown' }
        }
        const { declineCode, code } = refusal.safeParse(body).data ?? {}
        if (status === 402) return { outcome: 'declined', declineCode: declineCode ?? code ?? 'refused' }
        if (status === 404 && code === 'psp/payment-method-not-found') return { outcome: 'no-such-method' }
        if (isRefusal(status, code)) return { outcome: 'refused', status, code: code ?? '' }
        return { outcome: 'unknown' }
      } catch (error) {
        if (error instanceof AppError) return { outcome: 'unknown' }
        throw error
      }
    },

    /** The charge of a payment, if the provider has one. Throws `unavailable` when it cannot say. */
    findCharge: async (paymentId: string): Promise<Charge | undefined> => {
      const { data } = await read(`/v1/charges?idempotencyKey=${paymentId}`, chargePage)
      return data[0]
    },

    /** Charges in the order in which they were made. */
    chargesAfter: (after: string | null): Promise<z.infer<typeof chargePage>> =>
      read(`/v1/charges?limit=100${after ? `&after=${after}` : ''}`, chargePage),

    /** Gives all of a charge back; one effect a refund id. Throws `unavailable` until the provider says that it is done, `conflict` when it refuses. */
    refund: async (refundId: string, request: { charge: string; amount: number }): Promise<void> => {
      const { status, body } = await send('POST', '/v1/refunds', refundId, {
        ...request,
        reference: refundId,
      })
      if (status === 201) return
      const { code } = refusal.safeParse(body).data ?? {}
      const kind = isRefusal(status, code) ? 'conflict' : 'unavailable'
      throw new AppError(
        kind,
        'payments/refund-failed',
        `The provider said ${status} ${code ?? ''}`.trimEnd(),
      )
    },
  }
}

export type Provider = ReturnType<typeof createProvider>
