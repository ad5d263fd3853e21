import { z } from 'zod'
import { roleName } from './access.ts'
import { address, keptAddress } from './address.ts'
import { auditOperations } from './audit.ts'
import { clientOperations } from './clients.ts'
import { email, id, instant, printable } from './common.ts'
import { event } from './event.ts'
import { line, password } from './line.ts'
import { operation } from './operation.ts'
import { hashing, session, sessionOperations } from './sessions.ts'
import { takingBack } from './taking-back.ts'

const app = 'identity'
const name = line(100)
/** NIST SP 800-63B, 5.1.1.2: long, and nothing more is demanded. */
const newPassword = password(10, 128)
/** Of the languages that the shop speaks: the one of its mails. */
const locale = z.enum(['en', 'zh'])
const linkToken = printable(200)

export const account = z.object({
  id,
  email: printable(254),
  name: z.string(),
  locale,
  roles: z.array(roleName),
  createdAt: instant,
  /** When a link in a mail showed that the address is the account's own. */
  confirmedAt: instant.optional(),
})
export type Account = z.infer<typeof account>

export const createAccount = operation({
  app,
  id: 'createAccount',
  method: 'POST',
  path: '/v1/accounts',
  summary: 'Register a shopper; a mail asks to confirm the address',
  access: 'anyone',
  audited: true,
  status: 201,
  body: z.strictObject({
    email,
    password: newPassword,
    name,
    locale: locale.default('en'),
  }),
  response: account,
  problems: { 'identity/email-taken': 409, ...hashing },
  example: { body: { email: 'mei@example.com', password: 'a long passphrase', name: 'Mei' } },
})

export const getMe = operation({
  app,
  id: 'getMe',
  method: 'GET',
  path: '/v1/me',
  summary: 'The signed-in account',
  access: 'member',
  status: 200,
  tagged: true,
  response: account,
  problems: { 'identity/account-gone': 401 },
})

export const putMe = operation({
  app,
  id: 'putMe',
  method: 'PUT',
  path: '/v1/me',
  summary: 'Change one’s profile; takes back what getMe gave',
  access: 'member',
  status: 200,
  tagged: true,
  body: takingBack(z.strictObject({ name, locale }), account),
  response: account,
  problems: { 'identity/account-gone': 401 },
})

export const sendConfirmation = operation({
  app,
  id: 'sendConfirmation',
  method: 'POST',
  path: '/v1/me/confirmation-mails',
  summary: 'Mail another link to confirm the address; at most one a minute goes out',
  access: 'member',
  status: 204,
  problems: { 'identity/account-gone': 401 },
})

export const confirmAddress = operation({
  app,
  id: 'confirmAddress',
  method: 'POST',
  path: '/v1/address-confirmations',
  summary: 'Confirm the address by the token of the link; a repeat changes nothing',
  access: 'anyone',
  audited: true,
  status: 204,
  body: z.strictObject({ token: linkToken }),
  problems: { 'identity/link-over': 422 },
})

export const changePassword = operation({
  app,
  id: 'changePassword',
  method: 'PUT',
  path: '/v1/me/password',
  summary: 'Change the password; every other session ends',
  access: 'member',
  audited: true,
  status: 204,
  body: z.strictObject({ password: password(0, 128), newPassword }),
  problems: {
    'identity/wrong-password': 422,
    'identity/too-many-failures': 429,
    'identity/password-changed': 409,
    ...hashing,
    'identity/account-gone': 401,
  },
})

export const requestPasswordReset = operation({
  app,
  id: 'requestPasswordReset',
  method: 'POST',
  path: '/v1/password-reset-mails',
  summary:
    'Mail a link to set a new password. The answer is the same whether there is such an account or not',
  access: 'anyone',
  audited: true,
  status: 204,
  body: z.strictObject({ email }),
})

export const resetPassword = operation({
  app,
  id: 'resetPassword',
  method: 'POST',
  path: '/v1/password-resets',
  summary: 'Set a new password by the token of the link; every session ends',
  access: 'anyone',
  audited: true,
  status: 204,
  body: z.strictObject({ token: linkToken, newPassword }),
  problems: { 'identity/link-over': 422, ...hashing },
})

export const savedAddress = z.object({ id, ...keptAddress.shape })
export type SavedAddress = z.infer<typeof savedAddress>

export const listAddresses = operation({
  app,
  id: 'listAddresses',
  method: 'GET',
  path: '/v1/me/addresses',
  summary: 'One’s addresses, the last saved first',
  access: 'member',
  status: 200,
  response: z.object({ data: z.array(savedAddress) }),
})

const addressParams = z.strictObject({ addressId: id })

export const getAddress = operation({
  app,
  id: 'getAddress',
  method: 'GET',
  path: '/v1/me/addresses/{addressId}',
  summary: 'One of one’s addresses',
  access: 'member',
  status: 200,
  tagged: true,
  params: addressParams,
  response: savedAddress,
  problems: { 'identity/address-not-found': 404 },
})

export const putAddress = operation({
  app,
  id: 'putAddress',
  method: 'PUT',
  path: '/v1/me/addresses/{addressId}',
  summary:
    'Save an address under an id that the client makes; at most twenty. Takes back what getAddress gave',
  access: 'member',
  status: 200,
  tagged: true,
  params: addressParams,
  body: takingBack(address, savedAddress, { named: { id: 'addressId' } }),
  response: savedAddress,
  problems: { 'identity/address-book-full': 409 },
})

export const deleteAddress = operation({
  app,
  id: 'deleteAddress',
  method: 'DELETE',
  path: '/v1/me/addresses/{addressId}',
  summary: 'Delete an address; a repeat changes nothing',
  access: 'member',
  status: 204,
  tagged: savedAddress,
  params: addressParams,
})

export const exportMe = operation({
  app,
  id: 'exportMe',
  method: 'GET',
  path: '/v1/me/export',
  summary:
    'All that identity keeps of the caller (GDPR, article 20). Orders are read where they are: listOrders',
  access: 'member',
  status: 200,
  response: z.object({
    account,
    addresses: z.array(savedAddress),
    sessions: z.array(session.omit({ current: true })),
  }),
  problems: { 'identity/account-gone': 401 },
})

export const closeAccount = operation({
  app,
  id: 'closeAccount',
  method: 'POST',
  path: '/v1/me/closure',
  summary:
    'Delete the account and all that is the person’s (GDPR, article 17); orders stay, without the person once they are over',
  access: 'member',
  audited: true,
  status: 204,
  body: z.strictObject({ password: password(0, 128) }),
  problems: {
    'identity/wrong-password': 422,
    'identity/too-many-failures': 429,
    'identity/account-gone': 401,
    'identity/locks-out-administrators': 409,
    ...hashing,
  },
})

export const inquireAccount = operation({
  app,
  id: 'inquireAccount',
  method: 'POST',
  path: '/v1/account-inquiries',
  summary: 'Whose an e-mail address is',
  access: { apps: ['orders'] },
  status: 200,
  body: z.strictObject({ email }),
  response: z.discriminatedUnion('outcome', [
    z.object({ outcome: z.literal('found'), accountId: id }),
    z.object({ outcome: z.literal('not-found') }),
  ]),
})

export const getKeys = operation({
  app,
  id: 'getKeys',
  method: 'GET',
  path: '/.well-known/jwks.json',
  summary: 'Public keys that verify access tokens (RFC 7517)',
  access: 'anyone',
  status: 200,
  response: z.object({ keys: z.array(z.record(z.string(), z.unknown())) }),
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
    token_endpoint: z.string(),
    grant_types_supported: z.array(z.string()),
    token_endpoint_auth_methods_supported: z.array(z.string()),
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
  body: z.strictObject({ clientSecret: printable(200) }),
  response: z.object({ accessToken: z.string(), expiresIn: z.int() }),
  problems: { 'identity/wrong-client-secret': 401 },
})

/** The person is gone; whoever keeps something of theirs deletes it or takes the person out of it. */
export const accountClosed = event({
  topic: 'account.closed',
  publisher: app,
  summary: 'An account was deleted by its owner',
  data: z.object({ accountId: id }),
  key: ({ accountId }) => accountId,
  example: { accountId: '0192f3a4-5b6c-7d8e-8f90-a1b2c3d4e5f6' },
})

export const identityEvents = [accountClosed] as const

export const identityOperations = [
  createAccount,
  getMe,
  putMe,
  sendConfirmation,
  confirmAddress,
  changePassword,
  requestPasswordReset,
  resetPassword,
  listAddresses,
  getAddress,
  putAddress,
  deleteAddress,
  exportMe,
  closeAccount,
  inquireAccount,
  ...sessionOperations,
  ...auditOperations,
  ...clientOperations,
  getKeys,
  getDiscovery,
  issueAnonymousToken,
] as const
