import type { Rule } from '@caravan/contracts/access'
import type { Operation } from '@caravan/contracts/operation'
import { newEnforcer, newModelFromString } from 'casbin'

/** What no rule allows is denied; one rule that denies, of any role that counts, beats all that allow. */
const model = `
[request_definition]
r = roles, method, path

[policy_definition]
p = role, method, path, eft

[role_definition]
g = _, _

[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))

[matchers]
m = (p.method == r.method || p.method == "*") && holds(r.roles, p.role) && fits(r.path, p.path)
`

export type Asked = Pick<Operation, 'id' | 'method' | 'path'>

const capacity = 10_000
/** Longer than any path of the contracts: what an expression is run on is bounded. */
const longestPath = 256

const isParameter = (segment: string): boolean => segment.startsWith('{')

const compile = (pattern: string): RegExp => {
  if (pattern.startsWith('^')) return new RegExp(pattern)
  const segments = pattern.split('/').slice(1)
  const part = (segment: string, index: number): string => {
    if (segment === '*') return index === segments.length - 1 ? '.+' : '[^/]+'
    return isParameter(segment) ? '[^/]+' : segment.replace(/[.+]/g, '\\$&')
  }
  return new RegExp(`^${segments.map((segment, index) => `/${part(segment, index)}`).join('')}$`)
}

/** Whether a pattern may fit some paths of a template and not others, so that the template does not decide. */
const divides = (pattern: string, template: string): boolean => {
  if (!template.includes('{')) return false
  if (pattern.startsWith('^')) return true
  const given = template.split('/')
  const wanted = pattern.split('/')
  let divided = false
  for (const [index, segment] of wanted.entries()) {
    const other = given[index]
    if (other === undefined) return false
    if (segment === '*' || isParameter(segment)) {
      if (segment === '*' && index === wanted.length - 1) return divided
    } else if (isParameter(other)) divided = true
    else if (segment !== other) return false
  }
  return divided && wanted.length === given.length
}

export interface PolicySource {
  readonly rules: Iterable<Rule>
  /** By role, the roles that it inherits from. */
  readonly parents: Iterable<readonly [role: string, parents: readonly string[]]>
}

/**
 * The rules of one version, ready to be asked. Casbin tries every rule for a request, some microseconds each, so outcomes
 * are kept: by roles and operation or, where a rule tells paths of one operation apart, by roles and path, at most 10,000.
 */
export const createPolicy = async ({ rules, parents }: PolicySource) => {
  const definition = newModelFromString(model)
  const patterns = new Map<string, RegExp>()
  const known = [...rules]
  for (const { role, effect, method, path } of known) {
    definition.addPolicy('p', 'p', [role, method, path, effect])
    if (!patterns.has(path)) patterns.set(path, compile(path))
  }
  for (const [role, above] of parents)
    for (const parent of above) definition.addPolicy('g', 'g', [role, parent])
  const enforcer = await newEnforcer(definition)
  await enforcer.buildRoleLinks()
  const inheritance = enforcer.getRoleManager()
  await enforcer.addFunction('holds', (roles: readonly string[], role: string) =>
    roles.some((each) => inheritance.syncedHasLink?.(each, role)),
  )
  await enforcer.addFunction(
    'fits',
    (path: string, pattern: string) => patterns.get(pattern)?.test(path) === true,
  )

  const divided = new Map<string, boolean>()
  const isDivided = ({ id, method, path }: Asked): boolean => {
    const found =
      divided.get(id) ??
      known.some((rule) => (rule.method === '*' || rule.method === method) && divides(rule.path, path))
    divided.set(id, found)
    return found
  }
  const outcomes = new Map<string, boolean>()

  /** Whether an account with exactly these roles may call an operation with these parameters. */
  const allows = (
    roles: readonly string[],
    operation: Asked,
    params: Readonly<Record<string, string>> = {},
  ): boolean => {
    const path = isDivided(operation)
      ? operation.path.replace(/\{(\w+)\}/g, (_, name: string) => params[name] ?? '')
      : operation.path
    if (path.length > longestPath) return false
    const key = `${roles.join()} ${operation.method} ${path}`
    const kept = outcomes.get(key)
    if (kept !== undefined) return kept
    const outcome = enforcer.enforceSync(roles, operation.method, path)
    if (outcomes.size >= capacity) outcomes.delete(outcomes.keys().next().value as string)
    outcomes.set(key, outcome)
    return outcome
  }

  return { allows }
}

export type Policy = Awaited<ReturnType<typeof createPolicy>>
