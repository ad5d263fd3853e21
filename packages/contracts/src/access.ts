import { z } from 'zod'
import { id, instant, moment, page, paging, printable, visible, wholeNumber } from './common.ts'
import { event } from './event.ts'
import { prose } from './line.ts'
import { operation } from './operation.ts'
import { takingBack } from './taking-back.ts'

const app = 'identity'
const administrator = { roles: ['administrator'] } as const

/** Administrators add roles, so a role is a word, not one of a list. */
export const roleName = z.string().regex(/^[a-z][a-z0-9-]{1,39}$/)

const plainPath = /^(\/([\w~@:+-][\w.~@:+-]*|\.well-known|\{\w+\}|\*))+$/
/** What may take exponential time, or is not needed here: quantified groups, backreferences, lookarounds. */
const slow = /\)[*+{]|\\[1-9k]|\(\?[^:]|(?:[*+].*){4}/

const isExpression = (text: string): boolean => {
  if (!/^\^.*(?<!\\)\$$/.test(text) || slow.test(text)) return false
  try {
    return new RegExp(text) instanceof RegExp
  } catch {
    return false
  }
}

/**
 * What a rule is about. `/v1/orders/{orderId}`: a parameter or `*` stands for one segment, a `*` at the end for all the rest.
 * Or a regular expression from `^` to `$`, without quantified groups and with three of `*` and `+` at most.
 */
export const pathPattern = visible
  .refine((text) => (text.startsWith('^') ? isExpression(text) : plainPath.test(text)), {
    error: 'a path with {parameters} and *, or a plain regular expression from ^ to $',
  })
  .meta({ examples: ['/v1/orders/{orderId}', '^/v1/orders/[0-9a-f-]+$'] })

export const rule = z.strictObject({
  role: roleName,
  /** One that denies beats all that allow; what no rule allows is denied. */
  effect: z.enum(['allow', 'deny']),
  method: z.enum(['GET', 'POST', 'PUT', 'DELETE', '*']),
  path: pathPattern,
})
export type Rule = z.infer<typeof rule>

/** A role may do what its parents may, and may not what one of them may not. */
export const roleContent = z.strictObject({ parents: z.array(roleName).max(20) })

const ruleId = z.string().regex(/^\w[\w.-]{0,99}$/)
const operationId = z.string().regex(/^[a-zA-Z]{1,80}$/)

const kinds = ['account', 'session', 'address'] as const
/** An address or a CIDR network. */
const address = z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()])

const banContent = z.strictObject({
  kind: z.enum(kinds),
  /** The id of an account or a machine, the session's id, or an address or CIDR network: at least /8 for IPv4, /32 for IPv6. */
  subject: printable(60).meta({ examples: ['203.0.113.7', '0192f3a4-5b6c-7d8e-8f90-a1b2c3d4e5f6'] }),
  reason: prose(500),
  /** In the future. Without one it holds until it is lifted. */
  until: moment.optional(),
})
const banId = z.string().regex(/^[\w-]{8,200}$/)

export const ban = z.object({
  ...{ id: banId, ...banContent.shape, reason: z.string(), until: instant.optional() },
  ...{ by: z.string(), at: instant },
})
export type Ban = z.infer<typeof ban>

export const listRules = operation({
  app,
  id: 'listRules',
  method: 'GET',
  path: '/v1/access/rules',
  summary: 'What each role may and may not do',
  access: administrator,
  status: 200,
  query: paging,
  response: page(z.object({ id: ruleId, ...rule.shape })),
})

const ruleParams = z.strictObject({ ruleId })
const storedRule = z.object({ id: ruleId, ...rule.shape })

export const getRule = operation({
  app,
  id: 'getRule',
  method: 'GET',
  path: '/v1/access/rules/{ruleId}',
  summary: 'One rule',
  access: administrator,
  status: 200,
  tagged: true,
  params: ruleParams,
  response: storedRule,
  problems: { 'identity/rule-not-found': 404 },
})

const lockedOut = { 'identity/locks-out-administrators': 409 } as const

export const putRule = operation({
  app,
  id: 'putRule',
  method: 'PUT',
  path: '/v1/access/rules/{ruleId}',
  summary: 'Create or replace a rule under an id of the caller; takes back what getRule gave',
  access: administrator,
  status: 200,
  tagged: true,
  params: ruleParams,
  body: takingBack(rule, storedRule, { named: { id: 'ruleId' } }),
  response: storedRule,
  problems: { 'identity/unknown-role': 409, ...lockedOut },
  example: {
    body: { role: 'support', effect: 'allow', method: 'GET', path: '/v1/ledger-entries' },
  },
})

export const deleteRule = operation({
  app,
  id: 'deleteRule',
  method: 'DELETE',
  path: '/v1/access/rules/{ruleId}',
  summary: 'Remove a rule; one of the default policy stays removed',
  access: administrator,
  status: 204,
  tagged: storedRule,
  params: ruleParams,
  problems: { 'identity/rule-not-found': 404, ...lockedOut },
})

export const listRoles = operation({
  app,
  id: 'listRoles',
  method: 'GET',
  path: '/v1/access/roles',
  summary: 'All roles with their parents',
  access: administrator,
  status: 200,
  query: paging,
  response: page(z.object({ role: roleName, ...roleContent.shape })),
})

const roleParams = z.strictObject({ role: roleName })
const storedRole = z.object({ role: roleName, ...roleContent.shape })

export const getRole = operation({
  app,
  id: 'getRole',
  method: 'GET',
  path: '/v1/access/roles/{role}',
  summary: 'One role with its parents',
  access: administrator,
  status: 200,
  tagged: true,
  params: roleParams,
  response: storedRole,
  problems: { 'identity/role-not-found': 404 },
})

export const putRole = operation({
  app,
  id: 'putRole',
  method: 'PUT',
  path: '/v1/access/roles/{role}',
  summary: 'Create or replace a role; takes back what getRole gave',
  access: administrator,
  status: 200,
  tagged: true,
  params: roleParams,
  body: takingBack(roleContent, storedRole, { named: { role: 'role' } }),
  response: storedRole,
  problems: { 'identity/unknown-role': 409, 'identity/role-circle': 409, ...lockedOut },
})

export const deleteRole = operation({
  app,
  id: 'deleteRole',
  method: 'DELETE',
  path: '/v1/access/roles/{role}',
  summary: 'Remove a role that no rule, grant or role names',
  access: administrator,
  status: 204,
  tagged: storedRole,
  params: roleParams,
  problems: { 'identity/role-not-found': 404, 'identity/role-in-use': 409 },
})

const accountParams = z.strictObject({ accountId: id })

export const listGrants = operation({
  app,
  id: 'listGrants',
  method: 'GET',
  path: '/v1/accounts/{accountId}/roles',
  summary: 'The roles of an account beside shopper, which every account has, or of a machine',
  access: administrator,
  status: 200,
  params: accountParams,
  response: z.object({ data: z.array(roleName) }),
})

const grantParams = accountParams.extend({ role: roleName })

export const putGrant = operation({
  app,
  id: 'putGrant',
  method: 'PUT',
  path: '/v1/accounts/{accountId}/roles/{role}',
  summary: 'Give an account or a machine a role; it counts at once, for tokens that are out too',
  access: administrator,
  status: 204,
  params: grantParams,
  problems: { 'identity/unknown-role': 409, 'identity/account-not-found': 404, ...lockedOut },
})

export const deleteGrant = operation({
  app,
  id: 'deleteGrant',
  method: 'DELETE',
  path: '/v1/accounts/{accountId}/roles/{role}',
  summary: 'Take a role from an account or a machine',
  access: administrator,
  status: 204,
  params: grantParams,
  problems: { 'identity/grant-not-found': 404, ...lockedOut },
})

const publicRoute = z.object({ operationId, method: z.string(), path: z.string() })
const publicParams = z.strictObject({ operationId })

export const listPublicRoutes = operation({
  app,
  id: 'listPublicRoutes',
  method: 'GET',
  path: '/v1/access/public-routes',
  summary: 'Operations that need no identity',
  access: administrator,
  status: 200,
  query: paging,
  response: page(publicRoute),
})

export const putPublicRoute = operation({
  app,
  id: 'putPublicRoute',
  method: 'PUT',
  path: '/v1/access/public-routes/{operationId}',
  summary: 'Open an operation to everyone, unless it acts for an account',
  access: administrator,
  status: 200,
  params: publicParams,
  response: publicRoute,
  problems: { 'identity/operation-not-found': 404, 'identity/needs-account': 409 },
})

export const deletePublicRoute = operation({
  app,
  id: 'deletePublicRoute',
  method: 'DELETE',
  path: '/v1/access/public-routes/{operationId}',
  summary: 'Leave an operation to those whose roles allow it; what signing in needs stays open',
  access: administrator,
  status: 204,
  params: publicParams,
  problems: { 'identity/operation-not-found': 404, 'identity/stays-public': 409 },
})

export const listBans = operation({
  app,
  id: 'listBans',
  method: 'GET',
  path: '/v1/access/bans',
  summary: 'Bans that hold',
  access: { roles: ['support'] },
  status: 200,
  query: paging,
  response: page(ban),
})

export const createBan = operation({
  app,
  id: 'createBan',
  method: 'POST',
  path: '/v1/access/bans',
  summary:
    'Ban an account or a machine, a session, an address or a network; a second one of the same replaces the first',
  access: { roles: ['operator'] },
  status: 201,
  body: banContent.refine(
    ({ kind, subject }) => (kind === 'address' ? address : id).safeParse(subject).success,
    { path: ['subject'], error: 'not a subject of this kind' },
  ),
  response: ban,
  problems: {
    'identity/network-too-wide': 422,
    'identity/ban-over': 422,
    'identity/account-not-found': 404,
    'identity/no-such-session': 404,
    ...lockedOut,
  },
})

export const deleteBan = operation({
  app,
  id: 'deleteBan',
  method: 'DELETE',
  path: '/v1/access/bans/{banId}',
  summary: 'Lift a ban',
  access: { roles: ['operator'] },
  status: 204,
  params: z.strictObject({ banId }),
  problems: { 'identity/ban-not-found': 404 },
})

export const listPermissions = operation({
  app,
  id: 'listPermissions',
  method: 'GET',
  path: '/v1/me/permissions',
  summary: 'The operations that the signed-in account may use: what a menu should show',
  access: 'member',
  status: 200,
  response: z.object({ data: z.array(operationId) }),
})

/** Everything that asks who may do what. The gateway asks at the door, each service again. */
const followers = {
  apps: ['gateway', 'catalog', 'inventory', 'carts', 'orders', 'payments', 'promotions'],
} as const

/**
 * One piece of the access state, by kind and id; `value: null` is one that is gone. Whoever reads this ignores kinds that it
 * does not know. Values: `rule` a rule; `role` its parents; `grant` `{ account, role }`; `public-route` `{}`, its id the
 * operation's; `ban` `{ kind, subject }`; `revocation` `{ kind: session | account, subject, notBefore }`.
 */
export const accessEntry = z.object({
  kind: z.string(),
  id: z.string(),
  value: z.record(z.string(), z.unknown()).nullable(),
  /** It counts for nothing from then on. */
  expiresAt: instant.optional(),
})
export type AccessEntry = z.infer<typeof accessEntry>

export const listAccessChanges = operation({
  app,
  id: 'listAccessChanges',
  method: 'GET',
  path: '/v1/access-changes',
  summary: 'What changed in the access state after a version, in its order; after version 0 all of it',
  access: followers,
  status: 200,
  query: z.strictObject({ since: wholeNumber(0, Number.MAX_SAFE_INTEGER), mark: id.optional() }),
  /**
   * `version`: up to which this tells everything; `hasMore`: ask again from there. `mark`: the version's name, to be told beside it
   * the next time; who tells another one has a version that was lost when the database went back to a back-up. `since`: after
   * which version this tells everything: the one asked for, or 0, then to begin anew with.
   */
  response: z.object({
    version: z.int().min(0),
    mark: id.optional(),
    since: z.int().min(0).optional(),
    entries: z.array(accessEntry),
    hasMore: z.boolean(),
  }),
})
export type AccessChanges = z.output<NonNullable<typeof listAccessChanges.response>>

export const decideAccess = operation({
  app,
  id: 'decideAccess',
  method: 'POST',
  path: '/v1/access-decisions',
  summary: 'Whether the bearer of a verified token may do something: for services that hold no access state',
  access: followers,
  status: 200,
  body: z.strictObject({
    /** The token's `sub`, of an account or a machine. */
    account: id,
    /** Its `sid`; a machine's has none. */
    session: id.optional(),
    /** The token's `iat`, in seconds. */
    issuedAt: z.number(),
    operationId,
    params: z.record(z.string().regex(/^\w{1,40}$/), visible).default({}),
  }),
  response: z.object({
    outcome: z.enum(['allowed', 'forbidden', 'banned', 'session-ended']),
  }),
  problems: { 'identity/operation-not-found': 404 },
})

export const accessOperations = [
  listRules,
  getRule,
  putRule,
  deleteRule,
  listRoles,
  getRole,
  putRole,
  deleteRole,
  listGrants,
  putGrant,
  deleteGrant,
  listPublicRoutes,
  putPublicRoute,
  deletePublicRoute,
  listBans,
  createBan,
  deleteBan,
  listPermissions,
  listAccessChanges,
  decideAccess,
] as const

export const accessChanged = event({
  topic: 'access.changed',
  publisher: app,
  summary: 'The access state has a new version: a hint to read it, heard by every replica of every app',
  data: z.object({ version: z.int().min(1) }),
  // No two wait for one another: order does not matter.
  key: ({ version }) => `access:${version}`,
  example: { version: 42 },
})

export const accessEvents = [accessChanged] as const
