import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { operations } from '@caravan/contracts/all'
import { isPublic, type Operation } from '@caravan/contracts/operation'
import { repository } from './launcher/stack-file.ts'
import { readTopology } from './launcher/topology.ts'

// `npm run access-control` writes dapr/access: for each app, who may call which of its operations. The truth is in the
// contracts and in what the apps import of them.

const apps = readTopology(repository).apps.map(({ appID }) => appID)

const sourcesOf = (folder: string): string[] =>
  globSync(`${folder}/src/**/*.ts`, { cwd: repository })
    .filter((file) => !/\.test\.ts$|\/testing\//.test(file))
    .map((file) => readFileSync(join(repository, file), 'utf8'))

/** The operations that these sources import. An export of the contracts has the name of its operation’s id. */
const imported = (sources: string[]): Set<Operation> => {
  const clauses = sources.flatMap((text) => [
    ...text.matchAll(/\bimport\s*\{([^}]*)\}\s*from '@caravan\/contracts\/[\w-]+'/g),
  ])
  const names = new Set(clauses.flatMap(([, clause = '']) => clause.split(',').map((name) => name.trim())))
  return new Set(operations.filter(({ id }) => names.has(id)))
}

/** What no app of ours calls, but one that takes its place in another language may have to. */
const forReplacements = new Set(['decideAccess'])

const mayCall = (app: string, { access }: Operation): boolean =>
  typeof access === 'object' && 'apps' in access && access.apps.includes(app)

const importedByKit = imported(sourcesOf('packages/service-kit'))

/**
 * The operations of others that an app calls: a service those that it or its kit imports; the gateway, which is no service of
 * the kit, also all that it offers to the world.
 */
export const callsOf = (app: string): Operation[] => {
  const sources = sourcesOf(`apps/${app}`)
  const own = imported(sources)
  const isService = sources.some((text) => text.includes('runService('))
  return operations.filter(
    (each) =>
      each.app !== app &&
      (own.has(each) ||
        (isService ? importedByKit.has(each) : isPublic(each)) ||
        (forReplacements.has(each.id) && mayCall(app, each))),
  )
}

/**
 * The names under which a caller’s policy has these paths, by path; `others` are those that it may not call. Dapr 1.18 keeps the
 * names in a tree of segments (pkg/config/acl_trie.go):
 * - a name that ends in a literal covers all paths below it, and hides the names there;
 * - `/*` at the end is any one segment, or none; in the middle it matches nothing; it must come before what is below it;
 * - `/**` in the middle is any one segment; at the end, any number;
 * - `/*-*` is any one segment with a hyphen, so an id, and what is below it;
 * - the first branch that matches a segment is taken, for good.
 * So a path that another extends ends in `/*`, and what follows it, or is a parameter in one path, is one in all. What a name covers
 * beside its paths is no operation of the app.
 */
export const policyNames = (paths: string[], others: string[] = []): Map<string, string> => {
  const parameters = new Set<string>()
  const generalise = (path: string) =>
    path
      .split('/')
      .slice(1)
      .reduce((done, segment) => `${done}/${parameters.has(done) ? '**' : segment}`, '')
  const split = paths.map((path) => path.split('/'))
  for (let depth = 1; depth < Math.max(...split.map(({ length }) => length)); depth++)
    for (const path of split.filter(({ length }) => length > depth)) {
      const parent = generalise(path.slice(0, depth).join('/'))
      const extendsOther = !parent.endsWith('/**') && paths.some((other) => generalise(other) === parent)
      if (extendsOther || path[depth]?.startsWith('{')) parameters.add(parent)
    }

  const general = paths.map(generalise)
  const nameOf = (path: string) => {
    if (path.endsWith('/**')) {
      const parent = path.slice(0, -'/**'.length)
      return others.some((other) => generalise(other) === parent) ? `${parent}/*-*` : `${parent}/*`
    }
    return general.some((other) => other.startsWith(`${path}/`)) ? `${path}/*` : path
  }
  return new Map(paths.map((path, index) => [path, nameOf(general[index] as string)]))
}

/** The lines of a caller’s policy, from the operations of one app that it calls. By name: `/*` is before `/**`. */
const operationLines = (app: string, calls: Operation[]): string[] => {
  const pathsOf = (some: Operation[]) => some.map(({ path }) => path)
  const others = operations.filter((each) => each.app === app && !calls.includes(each))
  const names = policyNames(pathsOf(calls), pathsOf(others))
  const byName = Map.groupBy(calls, ({ path }) => names.get(path) ?? path)
  return [...byName]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, each]) => {
      const verbs = [...new Set(each.map(({ method }) => method))].sort()
      return `          - { name: "${name}", httpVerb: [${verbs.join(', ')}], action: allow }`
    })
}

/** The file dapr/access/<app>.yaml. */
export const accessControl = (app: string): string => {
  const policies = apps.flatMap((caller) => {
    const calls = callsOf(caller).filter((each) => each.app === app)
    if (calls.length === 0) return []
    return [
      `      - appId: ${caller}`,
      '        defaultAction: deny',
      '        trustDomain: public',
      '        namespace: default',
      '        operations:',
      ...operationLines(app, calls),
    ]
  })
  return [
    `# Who may call ${app}, beside dapr/config/${app}.yaml where there is mTLS. Written by tools/access-control.ts.`,
    'apiVersion: dapr.io/v1alpha1',
    'kind: Configuration',
    'metadata:',
    `  name: ${app}`,
    'spec:',
    '  accessControl:',
    '    defaultAction: deny',
    '    trustDomain: public',
    ...(policies.length > 0 ? ['    policies:', ...policies] : ['    policies: []']),
    '',
  ].join('\n')
}

if (import.meta.main)
  for (const app of apps) writeFileSync(join(repository, 'dapr/access', `${app}.yaml`), accessControl(app))
