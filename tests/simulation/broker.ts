import type { CloudEvent } from '@caravan/service-kit/sidecar'
import type { App } from './load-services.ts'
import type { Surroundings } from './surroundings.ts'
import type { Owner } from './virtual-time.ts'

interface Delivery {
  readonly event: CloudEvent
  done: boolean
}

const batchMs = 5
const batchSize = 50
const redeliverMs = 500
/** Events that are not acknowledged for so long are delivered again, beside the first delivery if that goes on. */
const processingMs = 12_000

/** Takes events and delivers each to every app that wants it, at least once, in bulk, in no order. */
export const createBroker = (world: Surroundings) => {
  const { timeline, network, faults } = world
  const waiting = new Map<string, Delivery[]>()
  let pending: Delivery[] = []

  const finish = (delivery: Delivery): void => {
    delivery.done = true
    pending = pending.filter((each) => each !== delivery)
  }

  const enqueue = (app: App, delivery: Delivery, ms: number): void => {
    const arrive = () => {
      if (delivery.done) return
      const { type: topic } = delivery.event
      const place = `${app} ${topic}`
      const batch = waiting.get(place)
      if (batch) return void batch.push(delivery)
      waiting.set(place, [delivery])
      timeline.after(batchMs, timeline.world, () => {
        const batch = waiting.get(place) ?? []
        waiting.delete(place)
        for (let from = 0; from < batch.length; from += batchSize)
          send(app, topic, batch.slice(from, from + batchSize))
      })
    }
    timeline.after(ms, timeline.world, arrive, false)
  }

  const send = (app: App, topic: string, batch: readonly Delivery[]): void => {
    const again = (ms: number) => {
      for (const each of batch) if (!each.done) enqueue(app, each, ms)
    }
    const events = batch.map(({ event }) => event)
    network
      .exchange<string[]>(timeline.world, `broker→${app}`, processingMs, (reply, fail) => {
        world.deliver(app, topic, events, reply, fail)
      })
      .then((statuses) => {
        for (const [index, status] of statuses.entries()) {
          const delivery = batch[index] as Delivery
          world.note('broker', `${topic} at ${app}: ${status}`)
          if (status === 'RETRY') enqueue(app, delivery, redeliverMs)
          else finish(delivery)
          if (status === 'DROP')
            world.object('I5', `${app} gave up ${topic} ${JSON.stringify(delivery.event.data)}`)
        }
      })
      .catch(() => again(redeliverMs))
  }

  const accept = (topic: string, events: readonly CloudEvent[]): void => {
    for (const event of events) {
      for (const app of world.subscribers(topic)) {
        const delivery: Delivery = { event, done: false }
        pending.push(delivery)
        let wait = network.pause()
        for (const { kind, ms } of faults.at(`broker to ${app}`)) {
          world.note('broker', `${kind} ${topic} for ${app}`)
          if (kind === 'twice') enqueue(app, { event, done: false }, wait + ms)
          if (kind === 'slow') wait += ms
          if (kind === 'flushed') for (const each of pending) finish(each)
        }
        enqueue(app, delivery, wait)
      }
    }
  }

  return {
    /** Resolves with the ids that were taken. */
    publish: (from: Owner, topic: string, events: readonly CloudEvent[]): Promise<Set<string>> =>
      network.exchange(from, `${from.name}→broker`, events.length === 1 ? 3000 : 10_000, (reply, fail) => {
        if (faults.at(`${from.name} publish`).some(({ kind }) => kind === 'refused')) return fail('refused')
        accept(topic, events)
        reply(new Set(events.map(({ id }) => id)))
      }),
    /** As a publisher outside of the simulation. */
    accept,
    /** What was taken and is not handled yet. */
    pending: () => pending.length,
  }
}

export type Broker = ReturnType<typeof createBroker>
