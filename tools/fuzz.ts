import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { operations } from '@caravan/contracts/all'
import { shopOf } from '../tests/support/shop.ts'
import { openMint } from '../tests/support/tokens.ts'
import { log, seed } from './launcher/commands.ts'
import { eraseStack } from './launcher/erase-stack.ts'
import { type Stack, startStack } from './launcher/stack.ts'

// npm run fuzz [-- --examples N]: schemathesis against the OpenAPI documents of a shop of its own, each operation as somebody who
// may call it: as a shopper and as the operator at the door; as an app what is for apps only. No 5xx, no status or answer that the
// document does not have, nothing without the credentials that it demands. Needs Python 3.10 or later; schemathesis is installed
// once, into a virtual environment of its own.

const version = '4.32.5'
const home = join(
  process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'),
  'caravan',
  `schemathesis-${version}`,
)
const program = join(home, 'bin/schemathesis')
const profile = 'fuzz'
const daySeconds = 86_400

const { values } = parseArgs({ options: { examples: { type: 'string', default: '30' } } })
const interruption = new AbortController()
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => interruption.abort())
const { signal } = interruption

const run = async (file: string, args: readonly string[], cwd: string): Promise<number> => {
  const [code] = await once(spawn(file, args, { stdio: 'inherit', cwd, signal }), 'close')
  return code ?? 1
}

const must = async (file: string, ...args: string[]): Promise<void> => {
  if ((await run(file, args, '.')) !== 0) throw new Error(`${file} ${args.join(' ')} failed`)
}

/** They end what is tested with, the caller's sessions, account and rights, or shut others out: so they come last. */
const last = [
  ...['endAllSessions', 'endCurrentSession', 'changePassword', 'closeAccount', 'createBan'],
  ...['deletePublicRoute', 'putRule', 'deleteRule', 'putRole', 'deleteRole', 'deleteGrant'],
]
const checks = [
  ...['not_a_server_error', 'status_code_conformance', 'content_type_conformance'],
  'response_schema_conformance',
]

interface Part {
  readonly as: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly only?: readonly string[]
  readonly without?: readonly string[]
  /** Whether who sends no bearer token is anonymous. */
  readonly byBearer: boolean
}

const atTheDoor = async (stack: Stack): Promise<Part[]> => {
  const shop = shopOf(stack)
  const mint = openMint(
    String(stack.secrets['identity-signing-key']),
    String(stack.sidecarEnvironment.TOKEN_ISSUER),
  )
  /** The same account's, of no session: it takes longer than a token or a session lives here. */
  const lasting = async (token: string) => {
    const { id } = (await shop.door('GET', '/v1/me', { token })).body
    const exp = Math.floor(Date.now() / 1000) + daySeconds
    // So spelled: in lower case schemathesis would leave it in what it sends to see whether it is demanded.
    return { Authorization: `Bearer ${mint.sign(id, { exp })}` }
  }
  const shopper = await lasting((await shop.newShopper()).token)
  const operator = await lasting(await shop.asOperator())
  const door = { url: stack.url, byBearer: true }
  return [
    { ...door, as: 'shopper', headers: shopper, without: last },
    { ...door, as: 'operator', headers: operator, without: last },
    { ...door, as: 'operator', headers: operator, only: last },
  ]
}

/** What an app may ask another, as that one's sidecar brings it. */
const betweenApps = (stack: Stack): Part[] => {
  const internal = operations.flatMap(({ id, app, access }) =>
    typeof access === 'object' && 'apps' in access ? [{ id, app, caller: String(access.apps[0]) }] : [],
  )
  const parts = Map.groupBy(internal, ({ app, caller }) => `${caller} to ${app}`)
  return [...parts].map(([as, asked]) => {
    const [app, caller] = [String(asked[0]?.app), String(asked[0]?.caller)]
    return {
      ...{ as, url: `http://127.0.0.1:${stack.process(app).ports.app}`, byBearer: false },
      headers: { 'dapr-api-token': String(stack.tokens[app]?.app), 'dapr-caller-app-id': caller },
      only: asked.map(({ id }) => id),
    }
  })
}

/** Hypothesis goes through a class of characters one by one: with that of any text it takes minutes for each example. */
const longestPattern = 200

/**
 * A part's document as a file, without the patterns of texts and without what countries want of addresses, which schemathesis cannot
 * make: what is refused for that is answered as documented anyhow.
 */
const documentOf = async (stack: Stack, { url, headers }: Part): Promise<string> => {
  const text = await (await fetch(`${url}/openapi.json`, { headers })).text()
  const document = JSON.parse(text, (key, value) =>
    (key === 'pattern' && value.length > longestPattern) || key === 'allOf' ? undefined : value,
  )
  const file = join(stack.dir, 'openapi.json')
  writeFileSync(file, JSON.stringify(document))
  return file
}

const fuzz = async (stack: Stack, part: Part) => {
  const { url, headers, only = [], without = [], byBearer } = part
  return run(
    program,
    [
      ...[
        'run',
        await documentOf(stack, part),
        '--url',
        url,
        '--no-color',
        '--max-examples',
        values.examples,
      ],
      ...['--phases', 'coverage,fuzzing'],
      ...['--checks', [...checks, ...(byBearer ? ['ignored_auth'] : [])].join()],
      ...Object.entries(headers).flatMap(([name, value]) => ['--header', `${name}: ${value}`]),
      ...only.flatMap((id) => ['--include-operation-id', id]),
      ...without.flatMap((id) => ['--exclude-operation-id', id]),
    ],
    // It leaves what it found in the folder that it runs in.
    stack.dir,
  )
}

if (!existsSync(program)) {
  await must('python3', '-m', 'venv', home)
  await must(join(home, 'bin/pip'), 'install', '--quiet', `schemathesis==${version}`)
}
await eraseStack(profile)
const stack = await startStack({ profile, ports: 'free', signal, log })
const failed: string[] = []
try {
  if ((await seed(stack, signal)) !== 0) throw new Error('there is no sample data')
  for (const part of [...betweenApps(stack), ...(await atTheDoor(stack))]) {
    if (signal.aborted) throw new Error('interrupted')
    log(`\nas ${part.as}`)
    if ((await fuzz(stack, part)) !== 0) failed.push(part.as)
  }
} finally {
  await stack.stop()
}
for (const as of failed) log(`failed: as ${as}`)
process.exit(failed.length === 0 ? 0 : 1)
