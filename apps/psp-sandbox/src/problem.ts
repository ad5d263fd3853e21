import type { Context, Middleware } from 'koa'
import type { Logger } from 'pino'
import type { z } from 'zod'

/** A refusal the caller may read. `extra` becomes members of the problem document. */
export class Problem extends Error {
  readonly status: number
  readonly what: string
  readonly extra: object

  constructor(status: number, what: string, title: string, extra: object = {}) {
    super(title)
    this.status = status
    this.what = what
    this.extra = extra
  }
}

/** The problem document of RFC 9457; `code` is what programs switch on. */
export function describe({ status, what, message, extra }: Problem) {
  return { type: `urn:psp-sandbox:problem:${what}`, code: `psp/${what}`, title: message, status, ...extra }
}

/** Reads `value` by `schema`, or throws 422 with a JSON pointer (RFC 6901) for each fault. Never echoes a value. */
export function parse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const read = schema.safeParse(value)
  if (read.success) return read.data
  const errors = read.error.issues.map((issue) => ({
    pointer: issue.path
      .map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`)
      .join(''),
    detail: issue.message,
  }))
  throw new Problem(422, 'invalid-request', 'The request does not fit its schema', { errors })
}

/** Answers with JSON; from 400 up it is a problem document. */
export function answer(ctx: Context, status: number, body: object): void {
  ctx.status = status
  ctx.body = JSON.stringify(body)
  ctx.type = status >= 400 ? 'application/problem+json' : 'application/json'
}

/** Turns what is thrown, and what no route answered, into problem documents. The unknown is logged and stays inside. */
export function problems(log: Logger): Middleware {
  return async (ctx, next) => {
    try {
      await next()
      if (ctx.body != null || ctx.status < 400) return
      const { status } = ctx
      throw new Problem(
        status,
        status === 404 ? 'no-such-route' : 'method-not-allowed',
        'Nothing answers here',
      )
    } catch (error) {
      if (!(error instanceof Problem)) log.error({ err: error }, 'request failed')
      const problem =
        error instanceof Problem ? error : new Problem(500, 'internal-error', 'The provider is at fault')
      answer(ctx, problem.status, describe(problem))
    }
  }
}
