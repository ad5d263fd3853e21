import type { z } from 'zod'

/** One event: a past fact, published as a CloudEvent whose type is the topic's name. */
export interface EventDefinition<D extends z.ZodType = z.ZodType> {
  readonly topic: string
  /** Dapr app id of the only publisher. */
  readonly publisher: string
  /** What the fact is about, in a sentence. */
  readonly summary: string
  /** Consumers ignore fields that they do not know, so a publisher may add some. */
  readonly data: D
  /** Events with the same key are published in the order in which they were written. */
  readonly key: (data: z.output<D>) => string
  readonly example: z.output<D>
}

/** Identity function that infers the data's type. */
export const event = <D extends z.ZodType>(definition: EventDefinition<D>): EventDefinition<D> => definition
