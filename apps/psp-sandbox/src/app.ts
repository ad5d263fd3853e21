import Router from '@koa/router'
import Koa, { type Middleware } from 'koa'
import type { Logger } from 'pino'
import { anyOrigin, preflight, requireKey } from './authorise.ts'
import type { Books } from './books.ts'
import { chargeRequest, createCharges, presentCharge } from './charges.ts'
import { createOnce } from './once.ts'
import type { AddEvent } from './outbox.ts'
import { pageQuery } from './page.ts'
import { createPaymentMethods, paymentMethodRequest } from './payment-methods.ts'
import { answer, parse, problems } from './problem.ts'
import { readJson } from './read-json.ts'
import { createRefunds, refundQuery, refundRequest } from './refunds.ts'
import { replay, requireIdempotencyKey } from './replay.ts'
import type { Sandbox } from './sandbox.ts'

type Options = {
  secretKey: string
  books: Books
  sandbox: Sandbox
  addEvent: AddEvent
  pause: (ms: number) => Promise<void>
  log: Logger
}

export function createApp({ secretKey, books, sandbox, addEvent, pause, log }: Options): Koa {
  const paymentMethods = createPaymentMethods(books)
  const charges = createCharges(books, addEvent)
  const refunds = createRefunds(books, addEvent)
  const once = createOnce(books, pause)
  const secret = requireKey(secretKey)
  const knobsOf = (paymentMethod: string) => sandbox.knobsFor(paymentMethods.get(paymentMethod).knobs)

  const router = new Router()
  router.get('/healthz', (ctx) => answer(ctx, 200, { status: 'ok' }))

  router.options('/v1/payment-methods', anyOrigin, preflight)
  router.post('/v1/payment-methods', anyOrigin, async (ctx) => {
    const request = parse(paymentMethodRequest, await readJson(ctx))
    answer(ctx, 201, paymentMethods.tokenise(request))
  })

  router.post('/v1/charges', secret, async (ctx) => {
    const key = requireIdempotencyKey(ctx)
    const request = parse(chargeRequest, await readJson(ctx))
    const method = paymentMethods.get(request.paymentMethod)
    const knobs = knobsOf(method.id)
    const execute = () => charges.capture(request, method, key, knobs.webhook)
    replay(ctx, await once({ key, payload: ['charge', request], knobs, execute }))
  })
  router.get('/v1/charges', secret, (ctx) =>
    answer(ctx, 200, charges.list(parse(pageQuery, { ...ctx.query }))),
  )
  router.get('/v1/charges/:id', secret, (ctx) =>
    answer(ctx, 200, presentCharge(charges.get(ctx.params.id ?? ''))),
  )

  router.post('/v1/refunds', secret, async (ctx) => {
    const key = requireIdempotencyKey(ctx)
    const request = parse(refundRequest, await readJson(ctx))
    const knobs = knobsOf(charges.get(request.charge).payment_method)
    const execute = () => refunds.refund(request, charges.get(request.charge), key, knobs.webhook)
    replay(ctx, await once({ key, payload: ['refund', request], knobs: knobs.refund, execute }))
  })
  router.get('/v1/refunds', secret, (ctx) =>
    answer(ctx, 200, refunds.list(parse(refundQuery, { ...ctx.query }))),
  )
  router.get('/v1/refunds/:id', secret, (ctx) => answer(ctx, 200, refunds.get(ctx.params.id ?? '')))

  router.use('/sandbox', secret, sandbox.router.routes())

  const app = new Koa()
  app.use(logRequests(log)).use(problems(log)).use(router.routes()).use(router.allowedMethods())
  app.on('error', (err) => log.info({ err }, 'connection lost'))
  return app
}

/** One line a request, with the path alone: queries and bodies stay out of the log. */
function logRequests(log: Logger): Middleware {
  return async (ctx, next) => {
    const start = performance.now()
    await next()
    log.info({
      method: ctx.method,
      path: ctx.path,
      status: ctx.status,
      ms: Math.round(performance.now() - start),
    })
  }
}
