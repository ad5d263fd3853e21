import { createHmac } from 'node:crypto'
import type { RawRequest } from '@caravan/service-kit/sidecar'
import type { Surroundings } from './surroundings.ts'

export interface ProviderCharge {
  readonly id: string
  readonly status: 'captured' | 'declined'
  readonly declineCode: string | null
  readonly amount: number
  readonly currency: string
  readonly reference: string
  readonly key: string
  readonly at: number
  refunded: number
}

interface Reply {
  readonly status: number
  readonly body: unknown
}

const mostTries = 20

/**
 * The card provider: one effect a key, and the first answer again for its repeats; webhooks until they are taken. Its
 * books are the truth about money and never fail.
 */
export const createProvider = (world: Surroundings) => {
  const { timeline, network, faults } = world
  const charges: ProviderCharge[] = []
  const refunds: { readonly charge: string; readonly amount: number }[] = []
  const answers = new Map<string, Reply>()

  const present = ({ key: _, at: __, ...charge }: ProviderCharge) => ({ ...charge })

  const post = (body: string, wait: number, tries: number): void => {
    const send = () => {
      const seconds = Math.floor(timeline.now() / 1000)
      const signature = createHmac('sha256', world.webhookSecret)
        .update(`${seconds}.`)
        .update(body)
        .digest('hex')
      const headers = { 'psp-signature': `t=${seconds},v1=${signature}`, 'content-type': 'application/json' }
      const request = { operation: 'receiveProviderWebhook', headers, body }
      world.ask(timeline.world, 'psp', 'payments', request, 5000).then(
        ({ status }) => status >= 300 && again(),
        () => again(),
      )
      const again = (): void => {
        if (tries + 1 < mostTries) post(body, Math.min(500 * 2 ** tries, 30_000), tries + 1)
      }
    }
    timeline.after(wait, timeline.world, send, false)
  }

  const announce = (type: string, charge: ProviderCharge): void => {
    const body = JSON.stringify({ id: `evt_${type}_${charge.id}`, type, data: { charge: present(charge) } })
    let wait = network.pause()
    for (const { kind, ms } of faults.at('psp webhook')) {
      world.note('psp', `webhook ${kind}`)
      if (kind === 'never') return
      if (kind === 'twice') post(body, wait + ms, 0)
      if (kind === 'slow') wait += ms
    }
    post(body, wait, 0)
  }

  const charge = (key: string, request: Record<string, unknown>): Reply => {
    const declined = request.paymentMethod !== 'pm_good'
    const made: ProviderCharge = {
      id: `ch_${charges.length}`,
      status: declined ? 'declined' : 'captured',
      declineCode: declined ? 'insufficient_funds' : null,
      amount: Number(request.amount),
      currency: String(request.currency),
      reference: String(request.reference),
      ...{ key, at: timeline.now(), refunded: 0 },
    }
    charges.push(made)
    world.note('psp', `${made.status} ${made.amount} for payment ${made.reference}`)
    announce(`charge.${made.status}`, made)
    if (!declined) return { status: 201, body: present(made) }
    return { status: 402, body: { code: 'card-declined', declineCode: made.declineCode } }
  }

  const refund = ({ charge: id, amount }: Record<string, unknown>): Reply => {
    const found = charges.find((each) => each.id === id)
    if (!found) return { status: 404, body: {} }
    if (found.status !== 'captured' || found.refunded + Number(amount) > found.amount)
      return { status: 409, body: { code: 'refund-exceeds-charge' } }
    found.refunded += Number(amount)
    refunds.push({ charge: found.id, amount: Number(amount) })
    world.note('psp', `refunded ${amount} of payment ${found.reference}`)
    announce('charge.refunded', found)
    return { status: 201, body: { id: `re_${refunds.length}` } }
  }

  const list = (query: URLSearchParams): Reply => {
    const key = query.get('idempotencyKey')
    const after = query.get('after')
    const limit = Number(query.get('limit') ?? 20)
    const start = after ? charges.findIndex(({ id }) => id === after) + 1 : 0
    const found = charges.slice(start).filter((each) => !key || each.key === key)
    return { status: 200, body: { data: found.slice(0, limit).map(present), hasMore: found.length > limit } }
  }

  const handle = ({ method, path, headers = {}, body }: RawRequest): Reply => {
    const { pathname, searchParams } = new URL(path, 'http://psp')
    if (method === 'GET') return list(searchParams)
    const key = headers['idempotency-key']
    if (!key) return { status: 400, body: {} }
    const known = answers.get(key)
    if (known) return known
    if (faults.at('psp effect').some(({ kind }) => kind === 'refused')) return { status: 500, body: {} }
    const request = JSON.parse(String(body))
    const reply = pathname === '/v1/charges' ? charge(key, request) : refund(request)
    answers.set(key, reply)
    return reply
  }

  return { handle, charges: charges as readonly ProviderCharge[], refunds: () => refunds.length }
}

export type Provider = ReturnType<typeof createProvider>
