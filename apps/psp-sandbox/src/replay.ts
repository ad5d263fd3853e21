import type { Context } from 'koa'
import { type Answer, idempotencyKey } from './once.ts'
import { answer, Problem, parse } from './problem.ts'

/** The caller's `Idempotency-Key`. Throws 400 when it is missing. */
export function requireIdempotencyKey(ctx: Context): string {
  const key = ctx.get('idempotency-key')
  if (!key) throw new Problem(400, 'idempotency-key-missing', 'Send an Idempotency-Key')
  return parse(idempotencyKey, key)
}

/** Answers, and marks a repetition with Stripe's `Idempotent-Replayed`. */
export function replay(ctx: Context, { status, body, replayed }: Answer & { replayed: boolean }): void {
  if (replayed) ctx.set('idempotent-replayed', 'true')
  answer(ctx, status, body)
}
