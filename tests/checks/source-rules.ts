import { posix } from 'node:path'

// The two rules that keep the services apart, as a function of one file's path and text. It reads text, not syntax, and
// rather sees too much: what looks like an import inside of a comment counts as one.

type Import = { from: string; names: string[]; typeOnly: boolean }

const named = /\b(?:import|export)\s+(type\s)?([\w$*\s{},]+?)\s*\bfrom\s*['"]([^'"\n]+)['"]/g
const bare = /\b(?:import|require|getBuiltinModule)\s*\(?\s*['"`]([^'"`\n]+)['"`]/g
const computed = /\b(?:import|require|getBuiltinModule)\s*\(\s*[^'"`\s)]/

export const importsOf = (source: string): Import[] => [
  ...[...source.matchAll(named)].map(([, type, clause = '', from = '']) => ({
    from,
    names: [...clause.matchAll(/(?:^|[{,])\s*(?:type\s+)?([\w$*]+)/g)].map(([, name = '']) => name),
    typeOnly: type !== undefined,
  })),
  ...[...source.matchAll(bare)].map(([, from = '']) => ({ from, names: ['*'], typeOnly: false })),
]

const network =
  /^(?:node:)?(?:http|https|http2|net|tls|dgram|dns|dns\/promises|child_process|cluster|worker_threads)$|^(?:undici|axios|got|node-fetch|ws|ioredis|redis|kafkajs|amqplib|nats|mysql2|pg|mongodb|@grpc\/grpc-js|@dapr\/dapr)(?:\/|$)/
const database = /^(?:knex|mysql2)(?:\/|$)|^@caravan\/service-kit\/database$/
/** Of node:net, what computes only. */
const harmless = new Set(['isIP', 'isIPv4', 'isIPv6', 'BlockList', 'SocketAddress'])

/** The doors: one module to the sidecar, one that listens, one to the service's own database, and the SDK's gRPC. */
const doors: Record<string, RegExp> = {
  'packages/service-kit/src/sidecar.ts': /^undici$/,
  'packages/service-kit/src/run-service.ts': /^node:http$/,
  'packages/service-kit/src/serve-metrics.ts': /^node:http$/,
  'packages/service-kit/src/in-worker.ts': /^node:worker_threads$/,
  'packages/service-kit/src/database.ts': /^(?:knex|mysql2)/,
  'packages/service-kit/src/workflow-worker.ts': /^@dapr\/dapr$/,
  'apps/gateway/src/sidecar-grpc.ts': /^@dapr\/dapr$/,
}

/** What is no part of the shop: they stand in for others. */
const sandboxes = new Set(['apps/psp-sandbox', 'apps/mail-sandbox'])

const workspaceOf = (path: string): string => path.split('/').slice(0, 2).join('/')

/** Why this file breaks a rule; nothing when it keeps both. `file` is relative to the repository. */
export const violations = (file: string, source: string): string[] => {
  const own = workspaceOf(file)
  const imports = importsOf(source)
  return [
    ...imports.flatMap((each) => misplaced(file, own, each)),
    ...(sandboxes.has(own) ? [] : escapes(file, source, imports)),
  ].map((what) => `${file}: ${what}`)
}

/** Who may import whom. */
const misplaced = (file: string, own: string, { from }: Import): string[] => {
  const found: string[] = []
  if (from.startsWith('.')) {
    const target = posix.join(posix.dirname(file), from)
    if (!target.startsWith(`${own}/`)) found.push(`leaves its workspace: ${from}`)
    if (file.includes('/domain/') && !target.includes('/domain/'))
      found.push(`the domain imports what is around it: ${from}`)
    return found
  }
  const [scope, name] = from.split('/')
  const allowed: Record<string, string[]> = {
    'packages/contracts': [],
    'packages/service-kit': ['contracts'],
    'apps/psp-sandbox': [],
    'apps/mail-sandbox': [],
  }
  if (scope === '@caravan' && !(allowed[own] ?? ['contracts', 'service-kit']).includes(name ?? ''))
    found.push(`may not import ${from}`)
  if (own === 'packages/contracts' && from !== 'zod' && scope !== '@caravan')
    found.push(`contracts import only zod: ${from}`)
  if (
    file.includes('/domain/') &&
    !/^@caravan\/(?:contracts\/|service-kit\/(?:errors|outbox)$)|^node:crypto$/.test(from)
  )
    found.push(`the domain imports ${from}`)
  const keepsData = own === 'packages/service-kit' || /(?:-store|\/main)\.ts$/.test(file)
  if (database.test(from) && !keepsData) found.push(`only a store imports ${from}`)
  return found
}

/** An app talks to its sidecar and its own database, and to nothing else. */
const escapes = (file: string, text: string, imports: Import[]): string[] => {
  const found: string[] = []
  const source = text.replace(/^\s*\/\*[\s\S]*?\*\//gm, '').replace(/(^|\s)\/\/.*$/gm, '')
  for (const { from, names, typeOnly } of imports) {
    const computes = from === 'node:net' && names.every((name) => harmless.has(name))
    if (network.test(from) && !typeOnly && !computes && !doors[file]?.test(from))
      found.push(`talks past its sidecar: ${from}`)
  }
  if (computed.test(source)) found.push('imports what only run time knows')
  if (
    /(?<![\w$.])(?:globalThis\s*\.\s*)?(?:fetch\s*\(|new\s+(?:WebSocket|EventSource|XMLHttpRequest)\b)/.test(
      source,
    )
  )
    found.push('talks past its sidecar: fetch')
  if (/https?:\/\/(?:[^\s'"`/]*:\d|[^\s'"`/]*\$\{|localhost|127\.)/.test(source) && !doors[file])
    found.push('holds an address')
  if (/\bprocess\s*(?:\.\s*env|\[)/.test(source) && !file.endsWith('/config.ts'))
    found.push('reads the environment outside of config.ts')
  return found
}
