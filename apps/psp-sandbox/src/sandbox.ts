import Router from '@koa/router'
import { z } from 'zod'
import { type Knobs, quiet, type SomeKnobs, someKnobs, turn } from './knobs.ts'
import type { createOutbox } from './outbox.ts'
import { postWebhook } from './post-webhook.ts'
import { answer, parse } from './problem.ts'
import { readJson } from './read-json.ts'
import { sign } from './signature.ts'

const deliveriesQuery = z.strictObject({ reference: z.string().min(1).max(255) })
const webhookRequest = z.strictObject({
  event: z.record(z.string(), z.unknown()),
  secret: z.string().min(1).max(255).optional(),
  /** Unix seconds. */
  timestamp: z.int().min(0).optional(),
})

type Options = {
  outbox: ReturnType<typeof createOutbox>
  webhookUrl: string
  webhookSecret: string
  /** Ends the waits of the moment. */
  release: () => void
}

/** What no real provider has: knobs for misbehaviour, a look at deliveries, webhooks on demand. */
export function createSandbox({ outbox, webhookUrl, webhookSecret, release }: Options) {
  // In memory: a restart behaves again.
  let defaults: Knobs = quiet
  const router = new Router()

  router.get('/knobs', (ctx) => answer(ctx, 200, defaults))
  router.put('/knobs', async (ctx) => {
    defaults = turn(quiet, parse(someKnobs, await readJson(ctx)))
    answer(ctx, 200, defaults)
  })

  router.post('/releases', (ctx) => {
    release()
    ctx.status = 204
  })

  router.get('/deliveries', (ctx) => {
    const { reference } = parse(deliveriesQuery, { ...ctx.query })
    answer(ctx, 200, { data: outbox.list(reference) })
  })

  router.post('/webhooks', async (ctx) => {
    const { event, secret = webhookSecret, timestamp } = parse(webhookRequest, await readJson(ctx))
    const body = JSON.stringify(event)
    answer(ctx, 200, await postWebhook(webhookUrl, body, sign(body, secret, timestamp)))
  })

  /** A payment method's own knobs over the defaults of the moment. */
  const knobsFor = (own: SomeKnobs) => turn(defaults, own)
  return { router, knobsFor }
}

export type Sandbox = ReturnType<typeof createSandbox>
