import { AppError } from '@caravan/service-kit/errors'
import { failpoint } from '@caravan/service-kit/failpoint'
import type { Sidecar } from '@caravan/service-kit/sidecar'
import { z } from 'zod'

/** What the shop reads of the provider's answers; the rest is the provider's own affair. */
export const charge = z.object({
  id: z.string(),
  /** `captured`, `declined`, or one that says nothing of the money yet. */
  status: z.string(),
  declineCode: z.string().nullish(),
  amount: z.int(),
  currency: z.string(),
  /** The payment's id. */
  reference: z.string(),
})
export type Charge = z.infer<typeof charge>

const chargePage = z.object({ data: z.array(charge), hasMore: z.boolean() })
const refusal = z.object({ code: z.string().nullish(), declineCode: z.string().nullish() })

export interface ChargeRequest {
  readonly paymentId: string
  readonly amount: number
  readonly currency: string
  readonly paymentMethod: string
}

/** `unknown`: no answer came, so the charge may or may not exist. */
export type ChargeOutcome =
  | { readonly outcome: 'captured'; readonly chargeId: string }
  | { readonly outcome: 'declined'; readonly declineCode: string }
  | { readonly outcome: 'unknown' }

/**
 * The card provider, reached through the sidecar's HTTPEndpoint `psp`, which adds the API key. The sidecar never repeats a
 * call to it; what is repeated here goes under the same idempotency key.
 */
export const createProvider = (sidecar: Sidecar) => {
  const send = async (method: 'GET' | 'POST', path: string, idempotencyKey?: string, body?: unknown) => {
    failpoint('before-provider-call')
    const response = await sidecar.invoke('psp', {
      method,
      path,
      headers: {
        accept: 'application/json',
        ...(body ? { 'content-type': 'application/json' } : {}),
        ...(idempotencyKey ? { 'idempotency-key': idempotencyKey } : {}),
      },
      body: body ? JSON.stringify(body) : null,
      deadlineMs: 6000,
    })
    failpoint('after-provider-call')
    return { status: response.statusCode, body: await response.body.json().catch(() => undefined) }
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
        if (status === 402 || status === 404 || status === 422) {
          const { declineCode, code } = refusal.safeParse(body).data ?? {}
          return { outcome: 'declined', declineCode: declineCode ?? code ?? 'refused' }
        }
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
      const { status } = await send('POST', '/v1/refunds', refundId, { ...request, reference: refundId })
      if (status === 201) return
      const kind = status >= 400 && status < 500 && status !== 409 ? 'conflict' : 'unavailable'
      throw new AppError(kind, 'payments/refund-failed', `The provider said ${status}`)
    },
  }
}

export type Provider = ReturnType<typeof createProvider>
