import type { Stack } from '../../tools/launcher/stack.ts'
import type { ClientLog } from '../support/client-log.ts'
import { shopOf } from '../support/shop.ts'
import { openMint } from '../support/tokens.ts'
import { type Goods, stockUp } from './goods.ts'
import { type Random, zipf } from './random.ts'
import type { Visit } from './visit.ts'

export interface Account {
  readonly id: string
  readonly token: string
}

/** What a scenario finds in the shop, made before the clock runs. */
export interface World {
  readonly goods: Goods
  /** A product's rank in `goods.products`, uniform or by Zipf. */
  readonly chooseProduct: (random: Random) => number
  /** An account that no other run has at the moment. */
  readonly borrowAccount: () => Account
  readonly returnAccount: (account: Account) => void
  readonly operatorToken: string
  /** A card token from the provider. */
  readonly card: (random: Random) => string
  readonly clientLog: ClientLog | undefined
  /** The part of browsing that reads lists. */
  readonly lists: number
  /** How long the shop may keep a question for an order, in ms. */
  readonly waitMs: number
  readonly notePaid: (order: string) => void
  /** When the answers to the payments came, by order, in ms since 1970; of the last 50,000. */
  readonly paid: ReadonlyMap<string, number>
}

/** A scenario gets its world once, and then does one visit after another. */
export type Scenario = (world: World) => (visit: Visit) => Promise<void>

export interface WorldOptions {
  readonly stack: Stack
  readonly seed: number
  readonly products: number
  /** Of the choice of products; 0 is uniform. */
  readonly zipf: number
  readonly lists: number
  readonly waitMs: number
  readonly clientLog?: ClientLog | undefined
}

const accountsAtFirst = 256
const cards = 50
const paidKept = 50_000
/** Seconds; a load may run for hours. */
const tokenLife = 86_400

/**
 * Members are tokens of identity's own key, for accounts that never registered: accounts are not what is measured. They
 * are used in turns, so that carts neither pile up nor are shared. Cards are traded for tokens beforehand, since that is a
 * browser's call to another company; each token pays many orders, as a stored card does.
 */
export const openWorld = async (options: WorldOptions): Promise<World> => {
  const { stack, seed, clientLog } = options
  const shop = shopOf(stack)
  const mint = openMint(
    String(stack.secrets['identity-signing-key']),
    String(stack.sidecarEnvironment.TOKEN_ISSUER),
  )
  const exp = Math.floor(Date.now() / 1000) + tokenLife
  const newAccount = (): Account => {
    const { id } = mint.member()
    return { id, token: mint.sign(id, { exp }) }
  }
  const [goods, operatorId, methods] = await Promise.all([
    stockUp(shop, options.products, seed),
    shop.asOperator().then(subjectOf),
    Promise.all(Array.from({ length: cards }, () => shop.tokenise())),
  ])
  const paid = new Map<string, number>()
  const accounts = Array.from({ length: accountsAtFirst }, newAccount)
  return {
    goods,
    chooseProduct: zipf(goods.products.length, options.zipf),
    borrowAccount: () => accounts.shift() ?? newAccount(),
    returnAccount: (account) => void accounts.push(account),
    operatorToken: mint.sign(operatorId, { exp }),
    card: (random) => random.pick(methods),
    notePaid: (order) => {
      if (paid.size >= paidKept) paid.delete(paid.keys().next().value as string)
      paid.set(order, performance.timeOrigin + performance.now())
    },
    ...{ clientLog, paid, lists: options.lists, waitMs: options.waitMs },
  }
}

const subjectOf = (token: string): string =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).sub
