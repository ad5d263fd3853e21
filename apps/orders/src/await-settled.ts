import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '@caravan/service-kit/log'
import type { Order } from './domain/order.ts'
import type { Orders } from './orders.ts'

export const isSettled = ({ status }: Pick<Order, 'status'>): boolean =>
  status === 'confirmed' || status === 'cancelled'

/** Each waiting request holds a connection from the client to here, and a place in the gateway's bulkhead. */
const maxWaiting = 24
const lookMs = 20

/**
 * Lets requests wait until an order is confirmed or cancelled, by whichever replica: one query for all of them, fifty times
 * a second while anybody waits. Gives false when time is over, or at once when too many wait.
 */
export const createAwaitSettled = (orders: Pick<Orders, 'settledAmong'>, log: Log) => {
  const waiting = new Map<string, Set<(settled: boolean) => void>>()
  let count = 0
  let looking = false

  const look = async (): Promise<void> => {
    looking = true
    while (count > 0) {
      await sleep(lookMs)
      const settled = await orders.settledAmong([...waiting.keys()]).catch((error) => {
        log.warn({ err: error }, 'could not look for settled orders')
        return []
      })
      for (const id of settled) for (const done of waiting.get(id) ?? []) done(true)
    }
    looking = false
  }

  return (id: string, ms: number): Promise<boolean> => {
    if (count >= maxWaiting) return Promise.resolve(false)
    count += 1
    return new Promise((resolve) => {
      const done = (settled: boolean): void => {
        clearTimeout(timer)
        count -= 1
        const others = waiting.get(id)
        others?.delete(done)
        if (others?.size === 0) waiting.delete(id)
        resolve(settled)
      }
      const timer = setTimeout(done, ms, false)
      waiting.set(id, (waiting.get(id) ?? new Set()).add(done))
      if (!looking) void look()
    })
  }
}

export type AwaitSettled = ReturnType<typeof createAwaitSettled>
