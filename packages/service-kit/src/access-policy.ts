import type { Rule } from '@caravan/contracts/access'
import type { Operation } from '@caravan/contracts/operation'
import { type Model, newEnforcer, newModelFromString } from 'casbin'

/** What no rule allows is denied; one rule that denies, of any role that counts, beats all that allow. */
const model = `
[request_definition]
r = roles, method, path

[policy_definition]
p = role, method, path, eft

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
  // Anchored as a whole: an alternative of its own would be at one end only.
  if (pattern.startsWith('^')) return new RegExp(`^(?:${pattern.slice(1, -1)})$`)
  const segments = pattern.split('/').slice(1)
  const part = (segment: string, index: number): string => {
    if (segment === '*') return index === segments.length - 1 ? '.+' : '[^/]+'
    return isParameter(segment) ? '[^/]+' : segment.replace(/[.+]/g, '\\$&')
  }
  return new RegExp(`^${segments.map((segment, index) => `/${part(segment, index)}`).join('')}$`)
}

/** Of a template's paths, which a pattern fits. */
const covers = (pattern: string, template: string): 'none' | 'some' | 'all' => {
  if (pattern.startsWith('^'))
    return template.includes('{') ? 'some' : compile(pattern).test(template) ? 'all' : 'none'
  const given = template.split('/')
  const wanted = pattern.split('/')
  let outcome: 'some' | 'all' = 'all'
  for (const [index, segment] of wanted.entries()) {
    const other = given[index]
    if (other === undefined) return 'none'
    if (segment === '*' && index === wanted.length - 1) return outcome
    if (segment === '*' || isParameter(segment)) continue
    if (isParameter(other)) outcome = 'some'
    else if (segment !== other) return 'none'
  }
  return wanted.length === given.length ? outcome : 'none'
}

/**
 * By role, the role and all above it, whatever the depth and the number of ways there. Casbin's own links end at the tenth
 * without a word, and are followed once for each way.
 */
const createAncestry = (parents: PolicySource['parents']) => {
  const above = new Map(parents)
  const known = new Map<string, ReadonlySet<string>>()
  return (role: string): ReadonlySet<string> => {
    let found = known.get(role)
    if (!found) {
      const all = new Set([role])
      // A set tells what is added while it is gone through, and each member once: a circle ends.
      for (const each of all) for (const parent of above.get(each) ?? []) all.add(parent)
      known.set(role, all)
      found = all
    }
    return found
  }
}

export interface PolicySource {
  readonly rules: Iterable<Rule>
  /** By role, the roles that it inherits from. */
  readonly parents: Iterable<readonly [role: string, parents: readonly string[]]>
}

/**
 * The rules of one version, ready to be asked. Casbin tries every rule for a request, some microseconds each. So it gets those
 * that may be about the operation, and outcomes are kept: by roles and operation or, where a rule tells paths of one
 * operation apart, by roles and path, at most 10,000.
 */
export const createPolicy = async ({ rules, parents }: PolicySource) => {
  const all = [...rules]
  const patterns = new Map(all.map(({ path }) => [path, compile(path)]))
  const ancestryOf = createAncestry(parents)
  const enforcer = await newEnforcer(newModelFromString(model))
  await enforcer.addFunction('holds', (roles: readonly string[], role: string) =>
    roles.some((each) => ancestryOf(each).has(role)),
  )
  await enforcer.addFunction(
    'fits',
    (path: string, pattern: string) => patterns.get(pattern)?.test(path) === true,
  )

  const parts = new Map<string, { rules: Model; isDivided: boolean }>()
  /** The rules that may be about an operation. */
  const partOf = ({ method, path: template }: Asked) => {
    const known = parts.get(`${method} ${template}`)
    if (known) return known
    const part = { rules: newModelFromString(model), isDivided: false }
    for (const { role, effect, method: of, path } of all) {
      const covered = of === '*' || of === method ? covers(path, template) : 'none'
      if (covered !== 'none') part.rules.addPolicy('p', 'p', [role, of, path, effect])
      part.isDivided ||= covered === 'some'
    }
    parts.set(`${method} ${template}`, part)
    return part
  }
  const outcomes = new Map<string, boolean>()

  /** Whether an account with exactly these roles may call an operation with these parameters. */
  const allows = (
    roles: readonly string[],
    operation: Asked,
    params: Readonly<Record<string, string>> = {},
  ): boolean => {
    const part = partOf(operation)
    const path = part.isDivided
      ? operation.path.replace(/\{(\w+)\}/g, (whole, name: string) => params[name] ?? whole)
      : operation.path
    if (path.length > longestPath) return false
    const key = `${roles.join()} ${operation.method} ${path}`
    const kept = outcomes.get(key)
    if (kept !== undefined) return kept
    enforcer.setModel(part.rules)
    const outcome = enforcer.enforceSync(roles, operation.method, path)
    if (outcomes.size >= capacity) outcomes.delete(outcomes.keys().next().value as string)
    outcomes.set(key, outcome)
    return outcome
  }

  return { allows }
}

export type Policy = Awaited<ReturnType<typeof createPolicy>>
