import type { IncomingMessage } from 'node:http'
import { type Operation, parametersOf, publicPath } from '@caravan/contracts/operation'
import type { Context, Middleware } from 'koa'
import getRawBody from 'raw-body'
import type { z } from 'zod'
import type { Access } from './access-state.ts'
import { admit } from './admit.ts'
import { type Audit, auditEntryOf, isAdministrative } from './audit.ts'
import { type Authenticate, anonymous, type Caller } from './authenticate.ts'
import { AppError, asAppError, toProblem } from './errors.ts'
import { failpoint } from './failpoint.ts'
import type { Idempotency, Once } from './idempotency.ts'
import { etagOf, type Precondition, readPrecondition } from './precondition.ts'
import { currentTrace } from './trace.ts'

type Parsed<T> = T extends z.ZodType ? z.output<T> : undefined

export interface Input<P, Q, B> {
  readonly params: Parsed<P>
  readonly query: Parsed<Q>
  readonly body: Parsed<B>
  readonly caller: Caller
  /** For the audit log: who an anonymous caller turned out to be. */
  readonly identify: (id: string) => void
  /** Present for idempotent operations. */
  readonly once: Once
  /** Of a write that is `tagged`: its handler has to call it. For any other there is no condition. */
  readonly precondition: Precondition
  /** The body's bytes, for operations that are `raw`. */
  readonly raw: Buffer
  readonly headers: IncomingMessage['headers']
}

export interface Route {
  readonly operation: Operation
  readonly handle: (input: Input<z.ZodType, z.ZodType, z.ZodType>) => Promise<unknown>
}

/** Binds a contract's operation to the function that does it. */
export const route = <P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, R extends z.ZodType>(
  operation: Operation<P, Q, B, R>,
  handle: (input: Input<P, Q, B>) => Promise<z.input<R> | undefined>,
): Route => ({ operation, handle }) as unknown as Route

export interface RouteContext {
  readonly name: string
  readonly authenticate: Authenticate
  readonly access: Access
  readonly idempotency: Idempotency | undefined
  /** Where administrative actions are written down. */
  readonly audit?: Audit | undefined
  readonly maxBodyBytes?: number
  readonly deadlineMs?: number
}

/** RFC 6901. */
const pointerOf = (part: 'body' | 'query' | 'params', path: readonly PropertyKey[]): string => {
  const pointer = path.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
  return part === 'body' ? pointer : `${part}${pointer}`
}

/** Parses one part of a request. Throws 422 with a pointer to each faulty field. */
const parse = (
  schema: z.ZodType | undefined,
  part: 'body' | 'query' | 'params',
  value: unknown,
  code: string,
): unknown => {
  if (!schema) return undefined
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const errors = result.error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({ pointer: pointerOf(part, [...issue.path, key]), detail: 'unknown field' }))
      : [{ pointer: pointerOf(part, issue.path), detail: issue.message }],
  )
  throw new AppError('invalid', code, 'The request does not match its schema', { errors })
}

/** The request's body, at most `limit` bytes. Throws 413. */
export const readBody = async (request: IncomingMessage, limit: number): Promise<Buffer> => {
  try {
    return await getRawBody(request, { limit, length: request.headers['content-length'] ?? null })
  } catch (cause) {
    if ((cause as { type?: string }).type !== 'entity.too.large') {
      throw new AppError('invalid', 'request/aborted', 'The body did not arrive', { status: 400, cause })
    }
    // Node reads the rest and forgets it, until its requestTimeout: a connection that closes now may take the answer with it.
    throw new AppError('invalid', 'request/too-large', `A body has at most ${limit} bytes`, {
      status: 413,
      cause,
    })
  }
}

const parseJson = (raw: Buffer, contentType: string | undefined): unknown => {
  if (!/^application\/([\w.-]+\+)?json\b/i.test(contentType ?? '')) {
    throw new AppError('invalid', 'request/not-json', 'Send application/json', { status: 415 })
  }
  try {
    return JSON.parse(raw.toString('utf8'))
  } catch (cause) {
    throw new AppError('invalid', 'request/malformed-json', 'The body is not JSON', {
      status: 400,
      errors: [{ pointer: '', detail: 'not JSON' }],
      cause,
    })
  }
}

const withDeadline = <T>(work: Promise<T>, ms: number): Promise<T> => {
  let timer: NodeJS.Timeout
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () =>
        reject(
          new AppError('unavailable', 'request/timed-out', 'It took too long', { retryAfterSeconds: 1 }),
        ),
      ms,
    )
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}

/** An outcome of the moment, not of the request: it must not be what a repeat gets for days. */
const invitesRepeat = ({ status, details }: AppError): boolean =>
  details.retryAfterSeconds !== undefined || [401, 403, 429, 503].includes(status)

const ofSecurity = new Set([401, 403])

/** Serves one route: who → what → may they → once → act → present. */
export const serve = ({ operation, handle }: Route, context: RouteContext): Middleware => {
  const { name, authenticate, access, idempotency, maxBodyBytes = 131_072, deadlineMs = 10_000 } = context
  const invalid = `${name}/invalid-request`
  const administrative = isAdministrative(operation)
  const audit = administrative || operation.audited ? context.audit : undefined
  const internal = typeof operation.access === 'object' && 'apps' in operation.access
  const named = new Set(parametersOf(operation))

  /** A sidecar brings the parameters of the public path in the query. One that came twice is no text, and 422. */
  const partsOf = ({
    query,
  }: Context): { params: Record<string, string>; query: Record<string, unknown> } => {
    const { params = [], rest = [] } = Object.groupBy(Object.entries(query), ([name]) =>
      named.has(name) ? 'params' : 'rest',
    )
    return { params: Object.fromEntries(params) as Record<string, string>, query: Object.fromEntries(rest) }
  }
  const isTaggedWrite = operation.tagged && operation.method !== 'GET'
  const etagOfResult = (result: unknown) => etagOf(JSON.stringify(operation.response?.parse(result)))

  const handleFor = async (
    ctx: Context,
    given: ReturnType<typeof partsOf>,
    caller: Caller,
    identify: (id: string) => void = () => {},
  ): Promise<void> => {
    const raw = operation.body || operation.raw ? await readBody(ctx.req, maxBodyBytes) : Buffer.alloc(0)
    const params = parse(operation.params, 'params', given.params, invalid)
    const query = parse(operation.query, 'query', given.query, invalid)
    const body =
      operation.body && parse(operation.body, 'body', parseJson(raw, ctx.get('content-type')), invalid)
    const precondition = readPrecondition(isTaggedWrite ? ctx.headers : {}, etagOfResult)
    const input = { params, query, body, caller, identify, raw, precondition, headers: ctx.headers }

    const run = async (once?: Once) => {
      const result = await withDeadline(handle({ ...input, once } as never), deadlineMs)
      return operation.response?.parse(result)
    }
    const answer = (status: number, result: unknown) => {
      failpoint('before-answer')
      ctx.status = status
      if (result === undefined) return
      ctx.body = result
      if (operation.tagged && status < 300) ctx.set('ETag', etagOf(JSON.stringify(result)))
      if (status >= 400) ctx.type = 'application/problem+json'
    }

    if (!operation.idempotent || !idempotency) return answer(operation.status, await run())

    const scope = `${caller.id} ${operation.id}`
    const key = ctx.get('idempotency-key')
    const claim = await idempotency.claim(scope, key, `${ctx.state.path}\n${raw.toString('utf8')}`)
    if ('status' in claim) {
      ctx.set('Idempotent-Replayed', 'true')
      const kept = claim.status < 400 ? operation.response?.parse(claim.body) : claim.body
      return answer(claim.status, kept)
    }
    try {
      const result = await run(claim)
      if (!claim.recorded()) await idempotency.keep(scope, key, { status: operation.status, body: result })
      answer(operation.status, result)
    } catch (error) {
      const known = asAppError(error)
      if (known && invitesRepeat(known)) await idempotency.release(scope, key, claim).catch(() => {})
      else {
        const problem = toProblem(known, currentTrace()?.traceId)
        await idempotency.keep(scope, key, { status: problem.status, body: problem }).catch(() => {})
      }
      throw error
    }
  }

  /** Nothing is administered that is not written down before; what came of it follows. */
  const audited = async (
    ctx: Context,
    given: ReturnType<typeof partsOf>,
    known: Caller,
    note: Audit,
  ): Promise<void> => {
    let actor = known.id
    let outcome = 500
    const write = (said: string) =>
      note(auditEntryOf(actor, { action: operation.id, object: ctx.state.path, outcome: said }, ctx.headers))
    try {
      const caller = admit(access, operation, known, given)
      if (administrative) await write('started')
      await handleFor(ctx, given, caller, (id) => {
        actor = id
      })
      outcome = ctx.status
    } catch (error) {
      outcome = asAppError(error)?.status ?? 500
      throw error
    } finally {
      // Not what says nothing of anybody: malformed requests, and refusals that cost as little as they are worth.
      if (
        outcome < 400 ||
        outcome >= 500 ||
        (administrative && actor !== anonymous.id) ||
        ofSecurity.has(outcome)
      )
        await write(String(outcome)).catch(() => undefined)
    }
  }

  return async (ctx) => {
    const given = partsOf(ctx)
    // What the request is about, in the words of the public API: for logs, the audit log, and to know a repeat.
    ctx.state.path = publicPath(operation, given.params)
    const app = internal ? ctx.get('dapr-caller-app-id') : ''
    const known: Caller = app
      ? { kind: 'app', id: app, roles: [] }
      : await authenticate(ctx.get('authorization') || undefined)
    if (audit) return audited(ctx, given, known, audit)
    return handleFor(ctx, given, admit(access, operation, known, given))
  }
}
