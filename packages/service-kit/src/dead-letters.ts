import { createHash } from 'node:crypto'
import { type DeadLetter, deadLetterOperations } from '@caravan/contracts/dead-letters'
import { utf8Of } from './decode-text.ts'
import { eachOf, receive } from './delivery.ts'
import { AppError } from './errors.ts'
import type { Log } from './log.ts'
import { maxEventBytes } from './outbox.ts'
import { type Route, route } from './route.ts'
import type { Sidecar } from './sidecar.ts'
import { type Consumer, cloudEvent, type DeliveredEvent, type Subscription } from './subscription.ts'
import { runInTrace } from './trace.ts'

const store = 'statestore'
const key = 'dead-letters'
const capacity = 500
/** The box is one value, and one answer: daprd takes 4 MiB. */
const capacityBytes = 3_000_000
/** Own events are never larger, envelope included. */
const wholeBytes = maxEventBytes + 4096
/** Characters that are kept of what cannot be replayed anyhow. */
const shownLength = 16_384

type Letter = DeadLetter & { event: DeliveredEvent }

const sha256 = (bytes: string | Buffer): string => createHash('sha256').update(bytes).digest('hex')

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/**
 * The event as the broker has it: deliveries of dead letters are raw, in Base64. What is no CloudEvent, or larger than one of the
 * shop's, is kept too, by its beginning and under its hash: an operator can see and discard it.
 */
const readEvent = (delivered: unknown): DeliveredEvent => {
  const bytes =
    typeof delivered === 'string' ? Buffer.from(delivered, 'base64') : Buffer.from(JSON.stringify(delivered))
  const utf8 = utf8Of(bytes)
  const text = utf8 ?? bytes.toString('latin1')
  const event = bytes.length > wholeBytes || utf8 === undefined ? undefined : parse(text)
  if (cloudEvent.safeParse(event).success) return event as DeliveredEvent
  return { id: sha256(bytes), type: 'unreadable', source: '', data: text.slice(0, shownLength) }
}

/** What stands in a path as it is. A slash, a question mark or a dot alone would be another path's on the way. */
const isPlain = (id: string): boolean => /^[\w~@:+-][\w.~@:+-]*$/.test(id)

const isSame = (a: DeliveredEvent, b: DeliveredEvent): boolean =>
  a.id === b.id && a.type === b.type && a.source === b.source

export interface DeadLettersOptions {
  readonly name: string
  readonly sidecar: Sidecar
  readonly log: Log
  readonly consumer: Consumer
  readonly subscriptions: readonly Subscription[]
}

/**
 * The events that this service gave up, kept in its state store as one value under an ETag until an operator replays
 * them. When the box is full the event stays with the broker, so none is lost.
 */
export const createDeadLetters = ({ name, sidecar, log, consumer, subscriptions }: DeadLettersOptions) => {
  const read = async () => {
    const found = await sidecar.state.get<Letter[]>(store, key)
    return { letters: found?.value ?? [], etag: found?.etag }
  }

  const change = async (edit: (letters: Letter[]) => Letter[]): Promise<void> => {
    for (let attempt = 0; attempt < 50; attempt += 1) {
      const { letters, etag } = await read()
      if (await sidecar.state.save(store, key, edit(letters), { etag })) return
    }
    throw new AppError('unavailable', 'dead-letters/busy', 'Try again in a moment')
  }

  const keep = (event: DeliveredEvent): Promise<void> =>
    change((letters) => {
      if (letters.some((letter) => isSame(letter.event, event))) return letters
      // An id is unique with its source only (CloudEvents 1.0, 3.1), and any text: what cannot be its name goes by its hash.
      const isName = isPlain(event.id) && !letters.some(({ id }) => id === event.id)
      const id = isName ? event.id : sha256(JSON.stringify([event.type, event.source, event.id]))
      const kept = [...letters, { id, topic: event.type, keptAt: new Date().toISOString(), event }]
      if (kept.length > capacity || Buffer.byteLength(JSON.stringify(kept)) > capacityBytes)
        throw new AppError('unavailable', 'dead-letters/full', 'Replay or discard some first')
      return kept
    })

  const keepOrRetry = async (delivered: unknown) => {
    const event = readEvent(delivered)
    try {
      await keep(event)
      log.error({ topic: event.type, event_id: event.id }, 'dead letter kept for an operator')
      return 'SUCCESS'
    } catch (error) {
      log.error({ err: error, event_id: event.id }, 'dead letter could not be kept; it stays with the broker')
      return 'RETRY'
    }
  }
  const endpoint = receive(log, eachOf(keepOrRetry))

  const operations = deadLetterOperations(name)
  const find = async (eventId: string): Promise<Letter> => {
    const { letters } = await read()
    const letter =
      letters.find(({ id }) => id === eventId) ?? letters.find(({ event }) => event.id === eventId)
    if (!letter) throw new AppError('not-found', 'dead-letters/not-found', 'No such dead letter')
    return letter
  }
  const remove = ({ id }: Letter) => change((letters) => letters.filter((letter) => letter.id !== id))

  const routes: Route[] = [
    route(operations.list, async () => ({ data: (await read()).letters })),
    route(operations.replay, async ({ params }) => {
      const letter = await find(params.eventId)
      const { event } = letter
      const target = subscriptions.find(({ definition }) => definition.topic === event.type)
      if (!target)
        throw new AppError('conflict', 'dead-letters/not-replayable', `Nothing here handles ${event.type}`)
      try {
        await runInTrace(event.traceparent, () => consumer.apply(target, event))
      } catch (cause) {
        throw new AppError(
          'conflict',
          'dead-letters/replay-failed',
          cause instanceof AppError ? `It failed again: ${cause.message}` : 'It failed again',
          {
            cause,
          },
        )
      }
      await remove(letter)
      return undefined
    }),
    route(operations.discard, async ({ params }) => {
      await remove(await find(params.eventId))
      return undefined
    }),
  ]

  return { topic: `${name}.dead-letter`, endpoint, routes }
}
