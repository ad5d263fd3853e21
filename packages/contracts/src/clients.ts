import { z } from 'zod'
import { id, instant, page, paging } from './common.ts'
import { line } from './line.ts'
import { operation } from './operation.ts'

const app = 'identity'
const access = { roles: ['operator'] } as const

/** A machine that acts in its own name. */
const client = z.object({ id, name: z.string(), createdAt: instant })
export type Client = z.infer<typeof client>

export const createClient = operation({
  app,
  id: 'createClient',
  method: 'POST',
  path: '/v1/clients',
  summary: 'Register a machine. Its secret is told once',
  access,
  status: 201,
  body: z.strictObject({ name: line(100) }),
  response: z.object({ ...client.shape, secret: z.string() }),
  example: { body: { name: 'warehouse' } },
})

export const listClients = operation({
  app,
  id: 'listClients',
  method: 'GET',
  path: '/v1/clients',
  summary: 'Machines that may get tokens, the newest first',
  access,
  status: 200,
  query: paging.extend({ after: id.optional() }),
  response: page(client),
})

export const deleteClient = operation({
  app,
  id: 'deleteClient',
  method: 'DELETE',
  path: '/v1/clients/{clientId}',
  summary: 'Take a machine’s right to tokens, those that are out and its roles; a repeat changes nothing',
  access,
  status: 204,
  params: z.strictObject({ clientId: id }),
})

export const issueToken = operation({
  app,
  id: 'issueToken',
  method: 'POST',
  path: '/v1/oauth2/token',
  summary:
    'The client credentials grant (RFC 6749, 4.4); the credentials as HTTP Basic or as client_id and client_secret',
  access: 'anyone',
  status: 200,
  raw: 'application/x-www-form-urlencoded',
  response: z.object({ access_token: z.string(), token_type: z.literal('Bearer'), expires_in: z.int() }),
  problems: { 'identity/invalid-request': 400, 'identity/invalid-client': 401 },
})

export const clientOperations = [createClient, listClients, deleteClient, issueToken] as const
