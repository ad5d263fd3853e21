import { type Background, every } from '@caravan/service-kit/background'
import type { Tools } from '@caravan/service-kit/run-service'
import { z } from 'zod'

const key = 'orders.payment-window-seconds'
const seconds = z.coerce.number().int().min(1).max(86_400)

/** How long a shopper has to pay: the configuration store's value, looked up every five seconds, else the given one. */
export const createPaymentWindow = (fallback: number, { sidecar, log }: Tools) => {
  let current = fallback
  const refresh: Background = every(5000, 'payment-window', log, async () => {
    const value = (await sidecar.configuration('configstore', [key]))[key]
    const parsed = seconds.safeParse(value ?? fallback)
    if (!parsed.success)
      return log.error({ key, value }, 'not a number of seconds from 1 to 86400; the old value stays')
    if (parsed.data !== current) log.info({ key, from: current, to: parsed.data }, 'configuration changed')
    current = parsed.data
  })
  return { seconds: () => current, refresh }
}
