import { z } from 'zod'
import { email, id, instant, page, paging, printable } from './common.ts'
import { password } from './line.ts'
import { operation } from './operation.ts'

const app = 'identity'

/** Where a password is hashed, a machine does so many at a time. */
export const hashing = { 'identity/busy': 429 } as const

const tokens = z.object({
  accessToken: z.string(),
  tokenType: z.literal('Bearer'),
  /** Seconds that the access token lives. */
  expiresIn: z.int(),
  /** Good for one refresh. Absent where it went into a cookie. */
  refreshToken: z.string().optional(),
})
export type Tokens = z.infer<typeof tokens>

/** One sign-in: a family of refresh tokens, of which one is good at a time. */
export const session = z.object({
  id,
  userAgent: z.string(),
  address: z.string(),
  createdAt: instant,
  lastUsedAt: instant,
  /** Whether the caller's own token is of this session. */
  current: z.boolean(),
})
export type Session = z.infer<typeof session>

export const createSession = operation({
  app,
  id: 'createSession',
  method: 'POST',
  path: '/v1/sessions',
  summary: 'Sign in. With `transport: cookie` the refresh token goes into an HttpOnly cookie, for browsers',
  access: 'anyone',
  audited: true,
  status: 201,
  body: z.strictObject({
    email,
    password: password(0, 128),
    transport: z.enum(['body', 'cookie']).default('body'),
  }),
  response: tokens,
  problems: {
    'identity/wrong-credentials': 401,
    'identity/account-gone': 401,
    'identity/too-many-failures': 429,
    ...hashing,
  },
})

export const refreshSession = operation({
  app,
  id: 'refreshSession',
  method: 'POST',
  path: '/v1/sessions/refresh',
  summary: 'New tokens for a refresh token, which the gateway takes from the cookie where the body has none',
  access: 'anyone',
  status: 200,
  body: z.strictObject({ refreshToken: printable(100).optional() }),
  response: tokens,
  problems: { 'identity/session-over': 401 },
})

/** What only the browser that began knows: another's answer is not taken there (RFC 9700, 4.7). */
const binding = printable(100)

export const startOutsideSignIn = operation({
  app,
  id: 'startOutsideSignIn',
  method: 'POST',
  path: '/v1/outside-sign-ins',
  summary:
    'Sign in with the shop’s outside OpenID provider: where to send the browser, and what to keep meanwhile',
  access: 'anyone',
  status: 201,
  response: z.object({ authorizationUrl: z.string(), binding: z.string() }),
  problems: { 'identity/no-outside-provider': 404 },
})

export const completeOutsideSignIn = operation({
  app,
  id: 'completeOutsideSignIn',
  method: 'POST',
  path: '/v1/outside-sign-ins/completions',
  summary:
    'Sign in by what the provider sent the browser back with; who is signed in has the outside identity linked to the account',
  access: 'anyone',
  audited: true,
  status: 201,
  body: z.strictObject({
    /** The query that the browser came back with, without `?`. */
    answer: printable(4000),
    binding,
    transport: z.enum(['body', 'cookie']).default('body'),
  }),
  response: tokens,
  problems: {
    'identity/no-outside-provider': 404,
    'identity/outside-sign-in-refused': 401,
    'identity/address-not-confirmed': 422,
    'identity/email-taken': 409,
    'identity/already-linked': 409,
    'identity/account-gone': 401,
    ...hashing,
  },
})

export const listSessions = operation({
  app,
  id: 'listSessions',
  method: 'GET',
  path: '/v1/sessions',
  summary: 'One’s live sessions, newest first',
  access: 'member',
  status: 200,
  query: paging.extend({ after: id.optional() }),
  response: page(session),
})

export const endCurrentSession = operation({
  app,
  id: 'endCurrentSession',
  method: 'DELETE',
  path: '/v1/sessions/current',
  summary: 'Sign out here; a repeat changes nothing',
  access: 'member',
  audited: true,
  status: 204,
})

export const endSession = operation({
  app,
  id: 'endSession',
  method: 'DELETE',
  path: '/v1/sessions/{sessionId}',
  summary: 'Sign out one of one’s sessions',
  access: 'member',
  audited: true,
  status: 204,
  params: z.strictObject({ sessionId: id }),
  problems: { 'identity/no-such-session': 404 },
})

export const endAllSessions = operation({
  app,
  id: 'endAllSessions',
  method: 'DELETE',
  path: '/v1/sessions',
  summary: 'Sign out everywhere, here too',
  access: 'member',
  audited: true,
  status: 204,
})

export const sessionOperations = [
  createSession,
  refreshSession,
  startOutsideSignIn,
  completeOutsideSignIn,
  listSessions,
  endCurrentSession,
  endSession,
  endAllSessions,
] as const
