import type { z } from 'zod'

/** The roles that a shop begins with. Every signed-in account is a shopper; administrators give the others, and make more. */
export const roles = [
  'shopper',
  'seller',
  'support',
  'catalogue-manager',
  'finance',
  'operator',
  'administrator',
] as const
export type FirstRole = (typeof roles)[number]
/** Any, with those that were made later. */
export type Role = string

/**
 * Who may call an operation, until an administrator changes that: identity makes its default policy of it. Nothing is open
 * unless it says so.
 * - `anyone`: no identity needed
 * - `member`: it acts for a signed-in account, always; ownership is checked by the owning service
 * - `{ roles }`: an account with one of these roles
 * - `{ apps }`: only these Dapr app ids, through their sidecars; never reachable from the public door
 */
export type Access =
  | 'anyone'
  | 'member'
  | { readonly roles: readonly FirstRole[] }
  | { readonly apps: readonly string[] }

/** One HTTP operation: the contract between its owner and every caller, in any language. */
export interface Operation<
  P extends z.ZodType = z.ZodType,
  Q extends z.ZodType = z.ZodType,
  B extends z.ZodType = z.ZodType,
  R extends z.ZodType = z.ZodType,
> {
  /** Dapr app id of the owner. */
  readonly app: string
  /** OpenAPI operationId, unique over all apps. */
  readonly id: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Public, as an OpenAPI path template: `/v1/orders/{orderId}`. */
  readonly path: `/${string}`
  readonly summary: string
  readonly access: Access
  readonly status: 200 | 201 | 204
  readonly params?: P
  readonly query?: Q
  readonly body?: B
  /** Absent for 204 and `media`. Unknown fields of a result are stripped, so a response is an allow list. */
  readonly response?: R
  /**
   * The resource has entity tags, strong ones (RFC 9110, 8.8.3): an answer that shows it has its own, and a write keeps to
   * `If-Match` and `If-None-Match`, or is answered 412. A write that answers nothing names what its resource's read shows.
   */
  readonly tagged?: true | z.ZodType
  /** A query parameter that shows what others do not see. Whoever sends it must be allowed that operation, too. */
  readonly privileged?: {
    readonly query: string
    readonly by: Pick<Operation, 'id' | 'method' | 'path' | 'access'>
  }
  /** The operation demands an `Idempotency-Key` header and replays its first outcome. */
  readonly idempotent?: true
  /** Each use belongs into the audit log, as each change that takes a role does anyhow. */
  readonly audited?: true
  /** The body is passed on as the bytes that came, for signatures over it, or because it is of this type and not JSON. */
  readonly raw?: true | 'application/x-www-form-urlencoded'
  /**
   * A list of which the world gets all pages, from `after` on, as one file of this type: a row for each item, with its members as
   * columns. An app answers page by page, as for every list.
   */
  readonly file?: 'text/csv'
  /** The answer is no JSON but a document in one of these media types, with a name to be saved under. */
  readonly media?: readonly `${string}/${string}`[]
  /** Problem codes that a caller should expect beyond those every operation has, each with its status. */
  readonly problems?: Readonly<Record<string, 400 | 401 | 402 | 404 | 409 | 422 | 429>>
  readonly example?: { readonly body?: z.input<B>; readonly response?: z.input<R> }
}

/** Identity function that infers the schemas' types. */
export const operation = <
  P extends z.ZodType = z.ZodNever,
  Q extends z.ZodType = z.ZodNever,
  B extends z.ZodType = z.ZodNever,
  R extends z.ZodType = z.ZodNever,
>(
  definition: Operation<P, Q, B, R>,
): Operation<P, Q, B, R> => definition

/**
 * The path under which sidecars ask an app for an operation. It is the same whatever the request is about: the parameters of the
 * public path go into the query, by their names.
 */
export const invokedPath = ({ id }: Pick<Operation, 'id'>): string => `/operations/${id}`

/** The names of a public path's parameters. */
export const parametersOf = ({ path }: Pick<Operation, 'path'>): string[] =>
  [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => String(name))

/** The public path with its parameters' values; a parameter without one stays a name. */
export const publicPath = (
  { path }: Pick<Operation, 'path'>,
  params: Readonly<Record<string, unknown>> = {},
): string =>
  path.replace(/\{(\w+)\}/g, (whole, name: string) =>
    params[name] === undefined ? whole : encodeURIComponent(String(params[name])),
  )

/** True for operations that the gateway offers to the world. */
export const isPublic = (op: Pick<Operation, 'access'>): boolean =>
  !(typeof op.access === 'object' && 'apps' in op.access)

/** True for writes that keep to `If-Match` and `If-None-Match`. */
export const isTaggedWrite = ({ tagged, method }: Pick<Operation, 'tagged' | 'method'>): boolean =>
  tagged !== undefined && method !== 'GET'
