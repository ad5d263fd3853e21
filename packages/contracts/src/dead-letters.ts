import { z } from 'zod'
import { operation } from './operation.ts'

const deadLetter = z.object({ id: z.string(), topic: z.string(), keptAt: z.string(), event: z.unknown() })
export type DeadLetter = Omit<z.infer<typeof deadLetter>, 'event'>

/** Apps that consume events, and so may have dead letters. */
export const consumers = ['identity', 'inventory', 'carts', 'orders', 'payments', 'promotions'] as const

const access = { roles: ['operator'] } as const
const params = z.strictObject({ eventId: z.string().regex(/^[\x20-\x7e]{1,64}$/) })

/** The same three operations for every app that consumes events. */
export const deadLetterOperations = (app: string) => {
  const Name = app.charAt(0).toUpperCase() + app.slice(1)
  return {
    list: operation({
      app,
      id: `list${Name}DeadLetters`,
      method: 'GET',
      path: `/v1/dead-letters/${app}`,
      summary: `Events that ${app} gave up, oldest first`,
      access,
      status: 200,
      response: z.object({ data: z.array(deadLetter) }),
    }),
    replay: operation({
      app,
      id: `replay${Name}DeadLetter`,
      method: 'POST',
      path: `/v1/dead-letters/${app}/{eventId}/replay`,
      summary: `Let ${app} handle the event now; it is removed when that succeeds`,
      access,
      status: 204,
      params,
      problems: {
        'dead-letters/not-found': 404,
        'dead-letters/not-replayable': 409,
        'dead-letters/replay-failed': 409,
      },
    }),
    discard: operation({
      app,
      id: `discard${Name}DeadLetter`,
      method: 'DELETE',
      path: `/v1/dead-letters/${app}/{eventId}`,
      summary: `Give the event up for good`,
      access,
      status: 204,
      params,
      problems: { 'dead-letters/not-found': 404 },
    }),
  }
}
