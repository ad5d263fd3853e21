import { z } from 'zod'
import { roleName } from './access.ts'
import { id, instant } from './common.ts'
import { operation } from './operation.ts'

const app = 'identity'
const email = z.string().trim().toLowerCase().pipe(z.email().max(254))

export const account = z.object({
  id,
  email: z.string(),
  name: z.string(),
  roles: z.array(roleName),
  createdAt: instant,
})
export type Account = z.infer<typeof account>

export const createAccount = operation({
  app,
  id: 'createAccount',
  method: 'POST',
  path: '/v1/accounts',
  summary: 'Register a shopper',
  access: 'anyone',
  status: 201,
  body: z.strictObject({
    email,
    password: z.string().min(10).max(128),
    name: z.string().trim().min(1).max(100),
  }),
  response: account,
  problems: { 'identity/email-taken': 409 },
  example: { body: { email: 'mei@example.com', password: 'a long passphrase', name: 'Mei' } },
})

export const createSession = operation({
  app,
  id: 'createSession',
  method: 'POST',
  path: '/v1/sessions',
  summary: 'Sign in',
  access: 'anyone',
  status: 201,
  body: z.strictObject({ email, password: z.string().max(128) }),
  response: z.object({ accessToken: z.string(), tokenType: z.literal('Bearer'), expiresIn: z.int() }),
  problems: { 'identity/wrong-credentials': 401 },
})

export const getMe = operation({
  app,
  id: 'getMe',
  method: 'GET',
  path: '/v1/me',
  summary: 'The signed-in account',
  access: 'member',
  status: 200,
  response: account,
  problems: { 'identity/account-gone': 401 },
})

export const getKeys = operation({
  app,
  id: 'getKeys',
  method: 'GET',
  path: '/.well-known/jwks.json',
  summary: 'Public keys that verify access tokens (RFC 7517)',
  access: 'anyone',
  status: 200,
  response: z.object({ keys: z.array(z.record(z.string(), z.string())) }),
})

export const getDiscovery = operation({
  app,
  id: 'getDiscovery',
  method: 'GET',
  path: '/.well-known/openid-configuration',
  summary: 'Discovery document',
  access: 'anyone',
  status: 200,
  response: z.object({
    issuer: z.string(),
    jwks_uri: z.string(),
    response_types_supported: z.array(z.string()),
    subject_types_supported: z.array(z.string()),
    id_token_signing_alg_values_supported: z.array(z.string()),
  }),
})

export const issueAnonymousToken = operation({
  app,
  id: 'issueAnonymousToken',
  method: 'POST',
  path: '/v1/anonymous-tokens',
  summary: 'A token for callers who are not signed in, held by the gateway',
  access: { apps: ['gateway'] },
  status: 201,
  body: z.strictObject({ clientSecret: z.string().max(200) }),
  response: z.object({ accessToken: z.string(), expiresIn: z.int() }),
  problems: { 'identity/wrong-client-secret': 401 },
})

export const identityOperations = [
  createAccount,
  createSession,
  getMe,
  getKeys,
  getDiscovery,
  issueAnonymousToken,
] as const
