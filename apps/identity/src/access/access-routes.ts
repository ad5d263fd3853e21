import * as contract from '@caravan/contracts/access'
import { operations } from '@caravan/contracts/all'
import { id } from '@caravan/contracts/common'
import { isPublic, type Operation } from '@caravan/contracts/operation'
import type { AccessState } from '@caravan/service-kit/access-state'
import { readNetwork } from '@caravan/service-kit/address'
import type { Caller } from '@caravan/service-kit/authenticate'
import { AppError } from '@caravan/service-kit/errors'
import { type Route, route } from '@caravan/service-kit/route'
import { pageBy } from '../page-by.ts'
import type { ClientStore } from '../tokens/client-store.ts'
import type { Entry } from './access-entry-store.ts'
import type { AccessStore } from './access-store.ts'

interface Collaborators {
  readonly store: AccessStore
  readonly state: AccessState
  readonly clients: Pick<ClientStore, 'has'>
}

const byId = new Map(operations.map((operation) => [operation.id, operation]))

/** What the world may be let in to. Throws 404. */
const operationOf = (id: string): Operation => {
  const found = byId.get(id)
  if (found && isPublic(found)) return found
  throw new AppError('not-found', 'identity/operation-not-found', 'There is no such operation')
}

/** Without these nobody could sign in and open them again. */
const staysPublic = ({ app, id, access }: Operation): boolean =>
  app === 'identity' && access === 'anyone' && id !== 'createAccount'

const presentRoute = ({ id, method, path }: Operation) => ({ operationId: id, method, path })

const pageOf = <T>(entries: readonly Entry[], limit: number, present: (entry: never) => T) => {
  const { data, ...page } = pageBy(entries, limit, ({ id }) => id)
  return { data: data.map(present as never) as T[], ...page }
}

const encode = (id: string): string => Buffer.from(id).toString('base64url')
/** Undefined for what `encode` did not make: base64 that is almost right would name an entry too. */
const decode = (id: string): string | undefined => {
  const text = Buffer.from(id, 'base64url').toString('latin1')
  return encode(text) === id ? text : undefined
}

/** Throws 422 for a cursor that is not one of ours. */
const positionOf = (after: string): string => {
  const position = decode(after)
  if (position) return position
  throw new AppError('invalid', 'identity/invalid-request', 'The cursor is not one of ours', {
    errors: [{ pointer: 'query/after', detail: 'not a cursor' }],
  })
}

const presentBan = ({ id, value, expiresAt }: Entry<'ban'>): contract.Ban => ({
  ...value,
  id: encode(id),
  ...(expiresAt ? { until: expiresAt } : {}),
})

/** In its one spelling. Throws 422 for a network that would shut out a good part of the world. */
const subjectOf = (kind: string, subject: string): string => {
  if (kind !== 'address') return id.parse(subject)
  const network = readNetwork(subject)
  const bits = network?.split('/')[1]
  if (!network || Number(bits) < (network.includes(':') ? 32 : 8))
    throw new AppError('invalid', 'identity/network-too-wide', 'At least /8 for IPv4, /32 for IPv6', {
      errors: [{ pointer: '/subject', detail: 'too wide' }],
    })
  return network
}

const refusals = {
  'auth/forbidden': 'forbidden',
  'auth/banned': 'banned',
  'auth/session-ended': 'session-ended',
} as const

/** What would become of a request. Throws 503 when that is not known. */
const decide = (
  { authorise }: AccessState,
  ...request: Parameters<AccessState['authorise']>
): 'allowed' | (typeof refusals)[keyof typeof refusals] => {
  try {
    authorise(...request)
    return 'allowed'
  } catch (error) {
    const outcome = error instanceof AppError && refusals[error.code as keyof typeof refusals]
    if (outcome) return outcome
    throw error
  }
}

/** Whether a role would inherit from itself. */
const hasCircle = (parents: ReadonlyMap<string, readonly string[]>, from: string): boolean => {
  const seen = new Set<string>()
  const above = [...(parents.get(from) ?? [])]
  for (const role of above) {
    if (role === from) return true
    if (seen.has(role)) continue
    seen.add(role)
    above.push(...(parents.get(role) ?? []))
  }
  return false
}

const notFound = (what: string) =>
  new AppError('not-found', `identity/${what}-not-found`, `There is no such ${what}`)

const presentRule = ({ id, value }: Entry<'rule'>) => ({ id, ...value })
const presentRole = ({ id, value }: Entry<'role'>) => ({ role: id, ...value })

export const accessRoutes = ({ store, state, clients }: Collaborators): readonly Route[] => [
  route(contract.listRules, async ({ query: { limit, after } }) =>
    pageOf(await store.list('rule', limit + 1, after), limit, presentRule),
  ),

  route(contract.getRule, async ({ params: { ruleId } }) => {
    const found = await store.find('rule', ruleId)
    if (!found) throw notFound('rule')
    return presentRule(found)
  }),

  route(contract.putRule, async ({ params: { ruleId }, body, caller, precondition }) => {
    const entry: Entry<'rule'> = { kind: 'rule', id: ruleId, value: body }
    const unchanged = store.standing('rule', ruleId, (current) =>
      precondition(current && presentRule(current)),
    )
    await store.set(caller.id, entry, unchanged, store.knownRoles(body.role))
    return presentRule(entry)
  }),

  route(contract.deleteRule, async ({ params: { ruleId }, caller, precondition }) => {
    const removed = await store.remove(caller.id, 'rule', ruleId, (_, current) =>
      precondition(presentRule(current)),
    )
    if (!removed) throw notFound('rule')
    return undefined
  }),

  route(contract.listRoles, async ({ query: { limit, after } }) =>
    pageOf(await store.list('role', limit + 1, after), limit, presentRole),
  ),

  route(contract.getRole, async ({ params: { role } }) => {
    const found = await store.find('role', role)
    if (!found) throw notFound('role')
    return presentRole(found)
  }),

  route(contract.putRole, async ({ params: { role }, body, caller, precondition }) => {
    const entry: Entry<'role'> = { kind: 'role', id: role, value: body }
    const unchanged = store.standing('role', role, (current) => precondition(current && presentRole(current)))
    await store.set(caller.id, entry, unchanged, async (tx) => {
      await store.knownRoles(...body.parents.filter((parent) => parent !== role))(tx)
      const parents = await store.rolesIn(tx)
      if (hasCircle(new Map([...parents, [role, body.parents]]), role))
        throw new AppError('conflict', 'identity/role-circle', 'A role cannot inherit from itself')
    })
    return presentRole(entry)
  }),

  route(contract.deleteRole, async ({ params: { role }, caller, precondition }) => {
    const removed = await store.remove(caller.id, 'role', role, async (tx, current) => {
      precondition(presentRole(current))
      if (await store.isUsed(tx, role))
        throw new AppError('conflict', 'identity/role-in-use', 'A rule, a grant or a role names it')
    })
    if (!removed) throw notFound('role')
    return undefined
  }),

  route(contract.listGrants, async ({ params: { accountId } }) => {
    const grants = await store.grantsOf(accountId)
    return { data: grants.map(({ value }) => value.role) }
  }),

  route(contract.putGrant, async ({ params: { accountId, role }, caller }) => {
    const value = { account: accountId, role }
    const entry = { kind: 'grant', id: `${accountId} ${role}`, value } as const
    await store.set(caller.id, entry, store.known('account', accountId), store.knownRoles(role))
    return undefined
  }),

  route(contract.deleteGrant, async ({ params: { accountId, role }, caller }) => {
    if (!(await store.remove(caller.id, 'grant', `${accountId} ${role}`))) throw notFound('grant')
    return undefined
  }),

  route(contract.listPublicRoutes, async ({ query: { limit, after } }) =>
    pageOf(await store.list('public-route', limit + 1, after), limit, ({ id }: Entry) => {
      const known = byId.get(id)
      return known ? presentRoute(known) : { operationId: id, method: '', path: '' }
    }),
  ),

  route(contract.putPublicRoute, async ({ params: { operationId }, caller }) => {
    const operation = operationOf(operationId)
    if (operation.access === 'member')
      throw new AppError('conflict', 'identity/needs-account', 'It acts for an account')
    await store.set(caller.id, { kind: 'public-route', id: operationId, value: {} })
    return presentRoute(operation)
  }),

  route(contract.deletePublicRoute, async ({ params: { operationId }, caller }) => {
    if (staysPublic(operationOf(operationId)))
      throw new AppError('conflict', 'identity/stays-public', 'Nobody could sign in without it')
    if (!(await store.remove(caller.id, 'public-route', operationId))) throw notFound('operation')
    return undefined
  }),

  route(contract.listBans, async ({ query: { limit, after } }) => {
    const bans = await store.list('ban', limit + 1, after && positionOf(after))
    const { next, ...page } = pageOf(bans, limit, presentBan)
    return { ...page, ...(next ? { next: encode(next) } : {}) }
  }),

  route(contract.createBan, async ({ body, caller }) => {
    const { kind, reason, until } = body
    if (until && Date.parse(until) <= Date.now())
      throw new AppError('invalid', 'identity/ban-over', 'The ban would be over already', {
        errors: [{ pointer: '/until', detail: 'in the past' }],
      })
    const subject = subjectOf(kind, body.subject)
    if (await store.find('grant', `${subject} administrator`)) {
      if (!(await store.find('grant', `${caller.id} administrator`)))
        throw new AppError('forbidden', 'auth/forbidden', 'Only an administrator bans another')
    }
    const entry: Entry<'ban'> = {
      ...{ kind: 'ban', id: `${kind} ${subject}` },
      value: { kind, subject, reason, by: caller.id, at: new Date().toISOString() },
      ...(until ? { expiresAt: until } : {}),
    }
    await store.set(caller.id, entry, ...(kind === 'address' ? [] : [store.known(kind, subject)]))
    return presentBan(entry)
  }),

  route(contract.deleteBan, async ({ params: { banId }, caller }) => {
    const entry = decode(banId)
    if (!entry || !(await store.remove(caller.id, 'ban', entry))) throw notFound('ban')
    return undefined
  }),

  route(contract.listAccessChanges, async ({ query: { since, mark } }) => store.changesSince(since, mark)),

  route(contract.listPermissions, async ({ caller }) => ({
    data: operations
      .filter((each) => isPublic(each) && decide(state, each, caller) === 'allowed')
      .map(({ id }) => id),
  })),

  route(contract.decideAccess, async ({ body }) => {
    const { account, session, issuedAt, operationId, params } = body
    // Every token of a member has a session.
    const isMachine = !session && (await clients.has(account))
    const caller: Caller = {
      ...{ kind: isMachine ? 'client' : 'member', id: account, roles: [], issuedAt },
      ...(session ? { session } : {}),
    }
    return { outcome: decide(state, operationOf(operationId), caller, params) }
  }),
]
