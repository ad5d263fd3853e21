import { setTimeout as pause } from 'node:timers/promises'
import type { Stack } from '../../tools/launcher/stack.ts'
import { inDatabase } from '../support/in-database.ts'
import { type Line, type Shop, shopOf } from '../support/shop.ts'
import { openMint } from '../support/tokens.ts'
import type { Drill } from './field.ts'

const victims = ['promotions', 'promotions.sidecar', 'orders', 'orders.sidecar']
const buyers = 6
const off = 300
/** Orders that may have the coupon; its budget is for as many. */
const uses = 10

interface Wanted {
  readonly line: Line
  readonly promotionId: string
  readonly code: string
}
type Member = ReturnType<ReturnType<typeof openMint>['member']>

const mintOf = (stack: Stack) =>
  openMint(String(stack.secrets['identity-signing-key']), String(stack.sidecarEnvironment.TOKEN_ISSUER))

/** The order, as long as there is a coupon for it; a client that wants an answer. */
const buy = async (shop: Shop, buyer: Member, { line, code }: Wanted): Promise<string | undefined> => {
  const key = crypto.randomUUID()
  const total = { ...line.unitPrice, amount: line.unitPrice.amount - off }
  const wishes = { codes: [code], total }
  const { status, body, text } = await shop.persistently(() => shop.tryOrder(buyer, [line], { key, wishes }))
  if (status === 201) return body.id
  if (status === 409 && body.code === 'orders/total-changed') return undefined
  throw new Error(`${status} ${text}`)
}

let wanted: Wanted | undefined

export const coupons: Drill = {
  name: 'coupons',
  what: 'kill -9 of promotions, orders and their sidecars while everybody wants a coupon that ten orders may have',
  /** Kills. */
  rounds: 40,
  run: async ({ stack, random, rounds, kill, recovered }) => {
    const shop = shopOf(stack)
    const mint = mintOf(stack)
    const [line] = await shop.newLines([1_000_000])
    if (!line) throw new Error('there is nothing to sell')
    const limits = { uses, budget: uses * off }
    const here: Wanted = { line, ...(await shop.newCoupon(line, { amount: off, limits })) }
    wanted = here
    let [stopped, had, refused] = [false, 0, 0]
    /** Some pay, some change their minds, some do neither, and lose their orders for it. */
    const round = async () => {
      const buyer = mint.member()
      const order = await buy(shop, buyer, here)
      if (order === undefined) {
        refused += 1
        return pause(100)
      }
      had += 1
      const lot = random.next()
      if (lot < 0.6) await shop.persistently(() => shop.cancel(buyer, order))
      else if (lot < 0.7) await shop.pay(buyer, order)
    }
    const running = Array.from({ length: buyers }, async () => {
      while (!stopped) await round().catch(() => pause(100))
    })
    try {
      for (let n = 0; n < rounds; n += 1) {
        const first = victims[n % victims.length] as string
        const others = victims.filter((victim) => victim !== first && random.next() < 0.3)
        await pause(random.below(1000))
        await kill([first, ...others])
        await recovered()
      }
    } finally {
      stopped = true
      await Promise.all(running)
    }
    return {
      figures: { 'orders with the coupon': had, 'refused one': refused },
      failures: had < uses || refused === 0 ? [`${had} had the coupon, ${refused} did not`] : [],
    }
  },
  /**
   * Now that nothing is under way, what is left of the ten can be had, and no more. An order of them may lose it meanwhile, for nobody
   * paid it in time: then another can have it.
   */
  afterwards: async ({ stack }) => {
    if (!wanted) throw new Error('there was no coupon')
    const { promotionId } = wanted
    const shop = shopOf(stack)
    const mint = mintOf(stack)
    const one = async (statement: string) =>
      Number(
        (await inDatabase<{ n: number }>(stack.mysqlAdminUrl, 'promotions', statement, [promotionId]))[0]?.n,
      )
    const look = async () => ({
      live: await one(
        `SELECT COUNT(*) AS n FROM redemption_uses u JOIN redemptions r ON r.order_id = u.order_id
         JOIN orders.orders o ON o.id = r.order_id AND o.status <> 'cancelled'
         WHERE u.promotion = ? AND r.status <> 'released'`,
      ),
      used: await one('SELECT used AS n FROM promotions WHERE id = ?'),
      spent: await one('SELECT spent AS n FROM promotions WHERE id = ?'),
    })
    const isOver = ({ live, used, spent }: Awaited<ReturnType<typeof look>>) =>
      live > uses || used > uses || spent > uses * off
    const isDone = ({ live, used, spent }: Awaited<ReturnType<typeof look>>) =>
      live === uses && used === uses && spent === uses * off
    const end = Date.now() + 120_000
    let seen = await look()
    while (!isOver(seen) && !isDone(seen) && Date.now() < end) {
      for (let n = 0; n <= uses; n += 1) if (!(await buy(shop, mint.member(), wanted))) break
      seen = await look()
      if (!isDone(seen)) await pause(1000)
    }
    const { live, used, spent } = seen
    return {
      figures: { 'live at the end': live },
      failures: isDone(seen)
        ? []
        : [`${live} orders have the coupon, not ${uses}; promotions counts ${used} of ${spent}`],
    }
  },
}
