import { attachStack } from '../../tools/launcher/attached-stack.ts'
import { inDatabase } from './in-database.ts'
import { shopOf } from './shop.ts'
import { openMint } from './tokens.ts'

/** The running stack that a test file talks to: STACK_PROFILE says which; `npm test` sets it. */
export const stack = attachStack(process.env.STACK_PROFILE ?? 'shop')
export const shop = shopOf(stack)
export const mint = openMint(
  String(stack.secrets['identity-signing-key']),
  String(stack.sidecarEnvironment.TOKEN_ISSUER),
)

/** One statement in a service's database: to read its books, or to stage what only time would bring. */
export const rows = <T = Record<string, unknown>>(app: string, statement: string, ...values: unknown[]) =>
  inDatabase<T>(stack.mysqlAdminUrl, app, statement, values)
