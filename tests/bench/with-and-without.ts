import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import mysql from 'mysql2/promise'
import { Pool } from 'undici'
import type { Stack } from '../../tools/launcher/stack.ts'
import { type Line, shippingAddress, shopOf } from '../support/shop.ts'
import { openMint } from '../support/tokens.ts'
import { closedLoop, measure, type Watched, watchedOf } from './measure.ts'
import { startOneProcessShop } from './one-process-shop.ts'
import type { Leg, Part } from './rounds.ts'

const concurrency = 32
const products = 40
const settleMs = 60_000

interface Place {
  readonly url: string
  readonly pspUrl: string
  readonly secrets: Record<string, string>
  readonly issuer: string
  readonly ordersDatabase: string
}

/** Places and pays orders at one of the two shops, through its door, and waits until all of them are confirmed. */
const openBuyers = async (place: Place, stack: Stack) => {
  const shop = shopOf(place)
  const mint = openMint(String(place.secrets['identity-signing-key']), place.issuer)
  const shelves: Line[][] = []
  for (let each = 0; each < products; each += 1) shelves.push(await shop.newLines([500_000, 500_000]))
  const card = await shop.tokenise()
  const shoppers = Array.from({ length: concurrency }, () =>
    mint.sign(mint.member().id, { exp: 4_102_444_800 }),
  )
  const pool = new Pool(place.url, { connections: concurrency, pipelining: 1 })
  const books = await mysql.createConnection({ uri: stack.mysqlAdminUrl, database: place.ordersDatabase })

  const post = async (token: string, path: string, body: object): Promise<{ id: string; status: string }> => {
    const answer = await pool.request({
      ...{ method: 'POST', path, body: JSON.stringify(body) },
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${token}`,
        'idempotency-key': randomUUID(),
      },
    })
    const text = await answer.body.text()
    if (answer.statusCode !== 201) throw new Error(`${path}: ${answer.statusCode} ${text}`)
    return JSON.parse(text)
  }

  const buy = async (worker: number) => {
    const token = String(shoppers[worker])
    const items = shelves[Math.floor(Math.random() * products)]
    const order = await post(token, '/v1/orders', { items, shippingAddress })
    const payment = await post(token, `/v1/orders/${order.id}/payments`, { paymentMethod: card })
    if (payment.status !== 'captured') throw new Error(`payment ${payment.id} is ${payment.status}`)
  }

  const unconfirmed = async () => {
    const [rows] = await books.query("SELECT COUNT(*) AS n FROM orders WHERE status <> 'confirmed'")
    return Number((rows as { n: number }[])[0]?.n)
  }

  const run = async (milliseconds: number) => {
    const start = performance.now()
    const done = await closedLoop(concurrency, milliseconds, buy)
    while ((await unconfirmed()) > 0) {
      if (performance.now() - start > milliseconds + settleMs) throw new Error('orders are left unconfirmed')
      await pause(20)
    }
    return { ...done, seconds: (performance.now() - start) / 1000 }
  }
  return { run, close: () => Promise.all([pool.close(), books.end()]) }
}

/** The same apps and the same requests, with sidecars between the apps and without. */
export const withAndWithout = async (stack: Stack): Promise<Part> => {
  const solo = await startOneProcessShop(stack)
  const issuer = String(stack.sidecarEnvironment.TOKEN_ISSUER)
  const real = await openBuyers({ ...stack, issuer, ordersDatabase: 'orders' }, stack)
  const alone = await openBuyers(solo, stack)
  const leg = (name: string, { run }: typeof real, watched: () => Watched): Leg => ({
    name,
    run: (ms) => measure(watched(), () => run(ms)),
  })
  return {
    letter: 'c',
    title: 'The same routes with sidecars and without',
    about:
      `Placing an order of two lines and paying it, ${concurrency} at a time, counted until the last of them is confirmed; times are of both requests together. ` +
      'Without: the main.ts of all apps in one process, calls to a sidecar being function calls (also events, state and locks), MySQL and the provider real.',
    base: 'with sidecars',
    legs: [
      leg('with sidecars', real, () => watchedOf(stack)),
      leg('without, in one process', alone, () => [
        ['load generator', 0],
        ['mysql', Number(stack.process('mysql').pid)],
        ['psp-sandbox', Number(solo.psp?.pid)],
        ['all apps', Number(solo.apps?.pid)],
      ]),
    ],
    legMs: 4000,
    warmUpMs: 1000,
    close: async () => {
      await Promise.all([real.close(), alone.close()])
      await solo.stop()
    },
  }
}
