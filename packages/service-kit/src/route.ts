import type { IncomingMessage } from 'node:http'
import { isTaggedWrite, type Operation, parametersOf, publicPath } from '@caravan/contracts/operation'
import type { Context, Middleware } from 'koa'
import type { z } from 'zod'
import type { Access } from './access-state.ts'
import { admit } from './admit.ts'
import { type Audit, auditEntryOf, isAdministrative } from './audit.ts'
import { type Authenticate, anonymous, type Caller } from './authenticate.ts'
import { assertJson, maxBodyBytes as documented, parseJson, readBody } from './body.ts'
import { canonicalJson } from './canonical-json.ts'
import { readCompared } from './compared-members.ts'
import { assertUtf8, decodeQuery } from './decode-text.ts'
import { AppError, asAppError, toProblem } from './errors.ts'
import { failpoint } from './failpoint.ts'
import type { Idempotency, Once } from './idempotency.ts'
import { canonicalParams, parse } from './parse-request.ts'
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
  /** Of a write that is `tagged`, or takes back what was read: its handler has to call it. For any other there is no condition. */
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

/** What an operation with `media` answers. */
export interface MediaFile {
  /** One of the operation's. */
  readonly type: string
  /** In printable ASCII, without quotes. */
  readonly name: string
  readonly content: Buffer
}

/** Binds an operation that answers with a document. */
export const mediaRoute = <P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType>(
  operation: Operation<P, Q, B, z.ZodNever>,
  handle: (input: Input<P, Q, B>) => Promise<MediaFile>,
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
  const { name, authenticate, access, idempotency, maxBodyBytes = documented, deadlineMs = 10_000 } = context
  const invalid = `${name}/invalid-request`
  const administrative = isAdministrative(operation)
  const audit = administrative || operation.audited ? context.audit : undefined
  const internal = typeof operation.access === 'object' && 'apps' in operation.access
  const named = new Set(parametersOf(operation))

  /** A sidecar brings the parameters of the public path in the query. One that came twice is no text, and 422. */
  const partsOf = ({
    querystring,
  }: Context): { params: Readonly<Record<string, string>>; query: Record<string, unknown> } => {
    const { params = [], rest = [] } = Object.groupBy(Object.entries(decodeQuery(querystring)), ([name]) =>
      named.has(name) ? 'params' : 'rest',
    )
    const given = Object.fromEntries(params) as Record<string, string>
    return { params: canonicalParams(operation, given), query: Object.fromEntries(rest) }
  }
  const shown = operation.response ?? (operation.tagged === true ? undefined : operation.tagged)
  const etagOfResult = (result: unknown) => etagOf(JSON.stringify(shown?.parse(result)))

  const handleFor = async (
    ctx: Context,
    given: ReturnType<typeof partsOf>,
    caller: Caller,
    identify: (id: string) => void = () => {},
  ): Promise<void> => {
    const hasBody = operation.body || operation.raw
    if (hasBody) assertUtf8(ctx.get('content-type'))
    if (operation.body) assertJson(ctx.get('content-type'))
    const raw = hasBody ? await readBody(ctx.req, maxBodyBytes) : Buffer.alloc(0)
    const params = parse(operation.params, 'params', given.params, invalid)
    const query = parse(operation.query, 'query', given.query, invalid)
    const sent = operation.body && parseJson(raw)
    const body = parse(operation.body, 'body', sent, invalid)
    const conditions = readPrecondition(isTaggedWrite(operation) ? ctx.headers : {}, etagOfResult)
    const compare = readCompared(operation.body, sent, given.params, invalid)
    const precondition: Precondition = (current) => {
      conditions(current)
      compare(current === undefined ? undefined : shown?.parse(current))
    }
    const input = { params, query, body, caller, identify, raw, precondition, headers: ctx.headers }

    const run = async (once?: Once) => {
      const result = await withDeadline(handle({ ...input, once } as never), deadlineMs)
      return operation.media ? result : operation.response?.parse(result)
    }
    const answer = (status: number, result: unknown) => {
      failpoint('before-answer')
      ctx.status = status
      if (result === undefined) return
      if (operation.media && status < 300) {
        const { type, name, content } = result as MediaFile
        ctx.set({ 'Content-Type': type, 'Content-Disposition': `attachment; filename="${name}"` })
        ctx.body = content
        return
      }
      ctx.body = result
      if (operation.tagged && status < 300) ctx.set('ETag', etagOf(JSON.stringify(result)))
      if (status >= 400) ctx.type = 'application/problem+json'
    }

    if (!operation.idempotent || !idempotency) return answer(operation.status, await run())

    const scope = `${caller.id} ${operation.id}`
    const key = ctx.get('idempotency-key')
    // Of what was understood, not of how it was written.
    const claim = await idempotency.claim(scope, key, canonicalJson([params, query, body]))
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
    // What the request is about, in the words of the public API: for logs and the audit log.
    ctx.state.path = publicPath(operation, given.params)
    const app = internal ? ctx.get('dapr-caller-app-id') : ''
    const known: Caller = app
      ? { kind: 'app', id: app, roles: [] }
      : await authenticate(ctx.get('authorization') || undefined)
    if (audit) return audited(ctx, given, known, audit)
    return handleFor(ctx, given, admit(access, operation, known, given))
  }
}
