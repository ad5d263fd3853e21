import { type AccessChanges, type AccessEntry, roleContent, rule } from '@caravan/contracts/access'
import type { Operation } from '@caravan/contracts/operation'
import { z } from 'zod'
import { createBans } from './access-bans.ts'
import { createPolicy, type Policy } from './access-policy.ts'
import type { Caller } from './authenticate.ts'
import { AppError } from './errors.ts'
import { accessVersion, watchAccessAge } from './metrics.ts'
import { parseKnown } from './parse-known.ts'

/** Says who may do what. Every route asks it; ownership is the handler's to check. */
export interface Access {
  /** The caller with the roles that count now. Throws 401, 403 or 503 unless it may use the operation. */
  readonly authorise: (
    operation: Pick<Operation, 'id' | 'method' | 'path' | 'access'>,
    caller: Caller,
    params?: Readonly<Record<string, string>>,
  ) => Caller
}

const grant = z.object({ account: z.string(), role: z.string() })
const ban = z.object({ kind: z.string(), subject: z.string() })
const revocation = z.object({ kind: z.string(), subject: z.string(), notBefore: z.iso.datetime() })

/** What changed after a version, which its mark names where there is one: from identity, or its own table. */
export type ReadAccessChanges = (since: number, mark?: string) => Promise<AccessChanges>

/** Every signed-in account is one. */
const everyone = ['shopper'] as const
/** Milliseconds without an answer from identity after which nothing is allowed that needs a permission. */
const staleMs = 60_000
/** After such a silence what is gone may have been forgotten by identity, too: everything is read anew. */
const forgetMs = 3_600_000

const never = Number.POSITIVE_INFINITY

interface Contents {
  readonly rules: Map<string, z.infer<typeof rule>>
  readonly parents: Map<string, readonly string[]>
  readonly grants: Map<string, readonly string[]>
  readonly publicRoutes: Set<string>
  readonly bans: ReturnType<typeof createBans>
  /** By `<kind> <subject>`. */
  readonly revocations: Map<string, { notBefore: number; until: number }>
}

const emptyContents = (now: () => number): Contents => ({
  rules: new Map(),
  parents: new Map(),
  grants: new Map(),
  publicRoutes: new Set(),
  bans: createBans(now),
  revocations: new Map(),
})

/** What is known here of a value that a newer identity may have told. */
const known = <T extends z.ZodType>(schema: T, value: unknown): z.output<T> => {
  const { success, data, error } = parseKnown(schema, value)
  if (success) return data
  throw error
}

/** Puts one entry in its place; true when the policy has to be made anew. What it does not know it leaves alone. */
const put = (contents: Contents, { kind, id, value, expiresAt }: AccessEntry): boolean => {
  const until = expiresAt ? Date.parse(expiresAt) : never
  switch (kind) {
    case 'rule':
      if (value) contents.rules.set(id, known(rule, value))
      else contents.rules.delete(id)
      return true
    case 'role':
      if (value) contents.parents.set(id, known(roleContent, value).parents)
      else contents.parents.delete(id)
      return true
    case 'grant': {
      const [account = '', role = ''] = id.split(' ')
      const others = (contents.grants.get(account) ?? []).filter((each) => each !== role)
      const held = value ? [...others, grant.parse(value).role].sort() : others
      if (held.length > 0) contents.grants.set(account, held)
      else contents.grants.delete(account)
      return false
    }
    case 'public-route':
      if (value) contents.publicRoutes.add(id)
      else contents.publicRoutes.delete(id)
      return false
    case 'ban':
      if (value) contents.bans.set(id, { ...ban.parse(value), until })
      else contents.bans.remove(id)
      return false
    case 'revocation': {
      if (!value) return false
      const { kind: of, subject, notBefore } = revocation.parse(value)
      contents.revocations.set(`${of} ${subject}`, { notBefore: Date.parse(notBefore), until })
      return false
    }
    default:
      return false
  }
}

/**
 * The access state of one version, in memory. Until the first one came, operations that their contract opens to anyone are
 * served and all else is 503; so it is, by the last known public routes, once the state is older than a minute.
 */
export const createAccessState = ({ now = Date.now, elapsed = () => performance.now() } = {}) => {
  let contents = emptyContents(now)
  let policy: Policy | undefined
  let version = 0
  let mark: string | undefined
  let confirmedAt = Number.NEGATIVE_INFINITY
  let watchers: (() => void)[] = []

  const age = (): number => elapsed() - confirmedAt

  /**
   * Reads what changed, and takes it over at once. One at a time. Versions go back only together with all that there is, when
   * the version held is not one of identity's history; any other older answer is refused, and confirms nothing.
   */
  const catchUp = async (read: ReadAccessChanges): Promise<void> => {
    const askedAt = elapsed()
    let since = age() > forgetMs ? 0 : version
    let entries: AccessEntry[] = []
    let answer: AccessChanges
    let [upTo, named] = [since, since === 0 ? undefined : mark]
    do {
      answer = await read(upTo, named)
      if (answer.since === 0) [since, entries] = [0, []]
      entries.push(...answer.entries)
      ;[upTo, named] = [answer.version, answer.mark]
    } while (answer.hasMore)
    if (upTo < version && answer.since === undefined)
      throw new Error(`identity answered with version ${upTo} after ${version}`)

    const next = since === 0 ? emptyContents(now) : contents
    let changed = since === 0
    for (const entry of entries) changed = put(next, entry) || changed
    if (changed) policy = await createPolicy({ rules: next.rules.values(), parents: next.parents })
    contents = next
    version = upTo
    mark = named
    confirmedAt = askedAt
    accessVersion.set(version)
    for (const each of watchers) each()
  }

  const sweep = (): void => {
    contents.bans.sweep()
    for (const [key, { until }] of contents.revocations) if (until <= now()) contents.revocations.delete(key)
  }

  const isRevoked = (key: string, issuedAt: number): boolean => {
    const known = contents.revocations.get(key)
    return known !== undefined && known.until > now() && issuedAt * 1000 <= known.notBefore
  }

  const isPublic = ({ id, access }: Pick<Operation, 'id' | 'access'>): boolean =>
    access !== 'member' && (policy ? contents.publicRoutes.has(id) : access === 'anyone')

  /** Throws 403 for a banned account or session. */
  const assertNotBanned = (account: string, session?: string): void => {
    if (contents.bans.holds('account', account) || (session && contents.bans.holds('session', session)))
      throw new AppError('forbidden', 'auth/banned', 'This account is banned')
  }

  /** Throws 403 for a banned account or session, 401 for a token that was revoked. */
  const admit = ({ id, session, issuedAt = 0 }: Caller): void => {
    assertNotBanned(id, session)
    if ((session && isRevoked(`session ${session}`, 0)) || isRevoked(`account ${id}`, issuedAt))
      throw new AppError('unauthenticated', 'auth/session-ended', 'Sign in again')
  }

  const rolesOf = (account: string): readonly string[] => {
    const granted = contents.grants.get(account)
    return granted ? [...new Set([...granted, ...everyone])].sort() : everyone
  }

  /** A machine has what was granted to it, and is no shopper unless that was. */
  const heldBy = ({ kind, id, roles }: Caller): readonly string[] => {
    if (kind === 'client') return contents.grants.get(id) ?? []
    return kind === 'member' ? rolesOf(id) : roles
  }

  const authorise: Access['authorise'] = (operation, caller, params) => {
    const { access } = operation
    if (typeof access === 'object' && 'apps' in access) {
      if (caller.kind === 'app' && access.apps.includes(caller.id)) return caller
      throw new AppError('forbidden', 'auth/forbidden', 'Not for this caller')
    }
    const isMember = caller.kind === 'member'
    if (isMember || caller.kind === 'client') admit(caller)
    const known = { ...caller, roles: heldBy(caller) }
    if (isPublic(operation)) return known
    if (!policy || age() > staleMs) {
      throw new AppError('unavailable', 'auth/policies-unavailable', 'Try again in a moment', {
        retryAfterSeconds: 5,
      })
    }
    if (!isMember && caller.kind !== 'client')
      throw new AppError('unauthenticated', 'auth/sign-in-needed', 'Sign in first')
    if ((access === 'member' && !isMember) || !policy.allows(known.roles, operation, params))
      throw new AppError('forbidden', 'auth/forbidden', 'Your account lacks the role for this')
    return known
  }

  watchAccessAge(() => age() / 1000)

  return {
    version: () => version,
    loaded: () => policy !== undefined,
    catchUp,
    sweep,
    assertNotBanned,
    authorise,
    isPublic,
    rolesOf,
    /** Whether any is banned: spares finding out the client's, on the hot path. */
    bansAddresses: (): boolean => contents.bans.anyAddress(),
    isBannedAddress: (address: string): boolean => contents.bans.holdsAddress(address),
    /** Calls back after each version, and now. */
    watch: (callback: () => void): void => {
      watchers = [...watchers, callback]
      callback()
    },
  }
}

export type AccessState = ReturnType<typeof createAccessState>
