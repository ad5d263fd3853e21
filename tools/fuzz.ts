import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openShop } from '../tests/support/shop.ts'
import { openMint } from '../tests/support/tokens.ts'
import { attachStack } from './launcher/attached-stack.ts'

// npm run fuzz [-- --examples N]: schemathesis against the OpenAPI document that a running shop serves, as a shopper and as an
// operator: no 5xx, no status or answer that the document does not have, nothing without the credentials that it demands. Needs
// Python 3.10 or later; schemathesis is installed once, into a virtual environment of its own.

const version = '4.32.5'
const home = join(
  process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'),
  'caravan',
  `schemathesis-${version}`,
)
const program = join(home, 'bin/schemathesis')

const { values } = parseArgs({ options: { examples: { type: 'string', default: '30' } } })

// It leaves what it found in the folder that it runs in.
const stack = attachStack(process.env.STACK_PROFILE ?? 'shop')

const run = async (file: string, args: readonly string[]): Promise<number> => {
  const [code] = await once(spawn(file, args, { stdio: 'inherit', cwd: stack.dir }), 'close')
  return code ?? 1
}

const must = async (file: string, ...args: string[]): Promise<void> => {
  if ((await run(file, args)) !== 0) throw new Error(`${file} ${args.join(' ')} failed`)
}

/** They end what is tested with: the caller's own sessions, account and rights. Wrong passwords shut the caller out of the account. */
const excluded = [
  ...['endAllSessions', 'endCurrentSession', 'changePassword', 'closeAccount', 'createBan'],
  ...['deletePublicRoute', 'putRule', 'deleteRule', 'putRole', 'deleteRole', 'deleteGrant'],
]
const checks = [
  ...['not_a_server_error', 'status_code_conformance', 'content_type_conformance'],
  ...['response_schema_conformance', 'ignored_auth'],
]

if (!existsSync(program)) {
  await must('python3', '-m', 'venv', home)
  await must(join(home, 'bin/pip'), 'install', '--quiet', `schemathesis==${version}`)
}
const shop = openShop({
  ...{ url: stack.url, pspUrl: stack.pspUrl, pspAuthorization: String(stack.secrets['psp-authorization']) },
  operator: {
    email: String(stack.secrets['operator-email']),
    password: String(stack.secrets['operator-password']),
  },
})
const mint = openMint(
  String(stack.secrets['identity-signing-key']),
  String(stack.sidecarEnvironment.TOKEN_ISSUER),
)
/** The same account's for an hour: it takes longer than a token lives. */
const lasting = async (token: string): Promise<string> => {
  const { id } = (await shop.door('GET', '/v1/me', { token })).body
  return mint.sign(id, { exp: Math.floor(Date.now() / 1000) + 3600 })
}
const callers = {
  shopper: await lasting((await shop.newShopper()).token),
  operator: await lasting(await shop.asOperator()),
}

let failed = 0
for (const [caller, token] of Object.entries(callers)) {
  console.error(`as ${caller}`)
  const code = await run(program, [
    ...['run', `${stack.url}/openapi.json`, '--no-color', '--header', `Authorization: Bearer ${token}`],
    ...[
      '--checks',
      checks.join(),
      '--max-examples',
      values.examples,
      '--phases',
      'examples,coverage,fuzzing',
    ],
    ...excluded.flatMap((id) => ['--exclude-operation-id', id]),
  ])
  if (code !== 0) failed += 1
}
process.exit(failed === 0 ? 0 : 1)
