import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { operations } from '@caravan/contracts/all'
import { pictureFile } from '@caravan/contracts/catalog'
import { invokedPath, isPublic, type Operation } from '@caravan/contracts/operation'
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

/** What the gateway offers besides. */
const files = [pictureFile]

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

/** One exact name an operation: what is invoked has no ids in its path. */
const line = ({ id, method }: Pick<Operation, 'id' | 'method'>): string =>
  `          - { name: "${invokedPath({ id })}", httpVerb: [${method}], action: allow }`

/** The file dapr/access/<app>.yaml. */
export const accessControl = (app: string): string => {
  const policies = apps.flatMap((caller) => {
    const calls = [...callsOf(caller), ...(caller === 'gateway' ? files : [])].filter(
      (each) => each.app === app,
    )
    if (calls.length === 0) return []
    return [
      `      - appId: ${caller}`,
      '        defaultAction: deny',
      '        trustDomain: public',
      '        namespace: default',
      '        operations:',
      ...calls.map(line).sort(),
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
