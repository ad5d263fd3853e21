import { z } from 'zod'

const flag = z.boolean()
const ms = (most: number) => z.int().min(0).max(most)

const call = {
  /** Before the effect; meanwhile the same key answers 409. */
  delayMs: ms(60_000),
  /** This many first tries of an idempotency key answer 500 and leave no effect. */
  failFirst: z.int().min(0).max(20),
  /** The effect happens at once, but the first answer comes `hangMs` late. */
  timeoutThenSuccess: flag,
  hangMs: ms(120_000),
}

const webhook = {
  delayMs: ms(60_000),
  /** Deliveries of each event; the copies race. */
  copies: z.int().min(1).max(5),
  /** The waiting events of a charge go out newest first, copies interleaved: B A B A. */
  shuffle: flag,
  drop: flag,
}

/** `refund` turns refunds, the rest charges and webhooks. */
const knobs = z.strictObject({
  ...call,
  refund: z.strictObject(call),
  webhook: z.strictObject(webhook),
})

export const someKnobs = knobs
  .extend({ refund: z.strictObject(call).partial(), webhook: z.strictObject(webhook).partial() })
  .partial()

export type Knobs = z.infer<typeof knobs>
export type SomeKnobs = z.infer<typeof someKnobs>
export type CallKnobs = Pick<Knobs, keyof typeof call>
export type WebhookKnobs = Knobs['webhook']

const quietCall: CallKnobs = { delayMs: 0, failFirst: 0, timeoutThenSuccess: false, hangMs: 30_000 }

export const quiet: Knobs = {
  ...quietCall,
  refund: quietCall,
  webhook: { delayMs: 0, copies: 1, shuffle: false, drop: false },
}

/** `base` with what `own` says instead. */
export function turn(base: Knobs, own: SomeKnobs): Knobs {
  return knobs.parse({
    ...base,
    ...own,
    refund: { ...base.refund, ...own.refund },
    webhook: { ...base.webhook, ...own.webhook },
  })
}
