import { createClient, deleteClient, issueToken, listClients } from '@caravan/contracts/clients'
import type { AccessState } from '@caravan/service-kit/access-state'
import { decodeQuery, decodeText } from '@caravan/service-kit/decode-text'
import { AppError } from '@caravan/service-kit/errors'
import { type Route, route } from '@caravan/service-kit/route'
import { z } from 'zod'
import { pageBy } from '../page-by.ts'
import type { AccessTokens } from './access-tokens.ts'
import type { ClientStore } from './client-store.ts'

/** RFC 6749, 5.2: `error` beside the members of every problem. */
const refusal = (error: 'invalid_request' | 'invalid_client' | 'unsupported_grant_type') =>
  error === 'invalid_client'
    ? new AppError('unauthenticated', 'identity/invalid-client', 'Not a client’s credentials', {
        data: { error },
      })
    : new AppError('invalid', 'identity/invalid-request', 'Not a request for client credentials', {
        ...{ status: 400, data: { error } },
      })

/** Unknown parameters are ignored, and none may come twice (RFC 6749, 3.2). */
const form = z.object({
  grant_type: z.string(),
  // A UUID of ours, in its one spelling.
  client_id: z.string().max(100).toLowerCase(),
  client_secret: z.string().max(100),
})

const parametersOf = (raw: Buffer): ReturnType<typeof decodeQuery> => {
  try {
    return decodeQuery(decodeText(raw))
  } catch {
    throw refusal('invalid_request')
  }
}

const readForm = (raw: Buffer, contentType = ''): z.infer<typeof form> => {
  const parameters = parametersOf(raw)
  const parsed = form.safeParse(parameters)
  const once = !Object.values(parameters).some(Array.isArray)
  if (!parsed.success || !once || !contentType.startsWith('application/x-www-form-urlencoded'))
    throw refusal('invalid_request')
  if (parsed.data.grant_type !== 'client_credentials') throw refusal('unsupported_grant_type')
  return parsed.data
}

interface Collaborators {
  readonly clients: ClientStore
  readonly tokens: Pick<AccessTokens, 'forClient'>
  readonly access: Pick<AccessState, 'assertNotBanned'>
}

export const clientRoutes = ({ clients, tokens, access }: Collaborators): readonly Route[] => [
  route(createClient, ({ body: { name } }) => clients.create(name)),

  route(listClients, async ({ query: { limit, after } }) =>
    pageBy(await clients.list(limit + 1, after), limit, ({ id }) => id),
  ),

  route(deleteClient, async ({ params: { clientId }, caller }) => {
    await clients.remove(caller.id, clientId)
    return undefined
  }),

  route(issueToken, async ({ raw, headers }) => {
    const { client_id: id, client_secret: secret } = readForm(raw, headers['content-type'])
    if (!(await clients.knows(id, secret))) throw refusal('invalid_client')
    access.assertNotBanned(id)
    const { accessToken, expiresIn } = tokens.forClient(id)
    return { access_token: accessToken, token_type: 'Bearer' as const, expires_in: expiresIn }
  }),
]
