import assert from 'node:assert/strict'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { OrderReturn } from '@caravan/contracts/returns'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { eraseStack } from '../../tools/launcher/erase-stack.ts'
import { type Stack, startStack } from '../../tools/launcher/stack.ts'
import { stackFolder } from '../../tools/launcher/stack-file.ts'
import { audit } from '../audit/audit.ts'
import { returnsOf } from '../support/returns.ts'
import { type Line, type Shop, shopOf } from '../support/shop.ts'
import { openMint } from '../support/tokens.ts'

/** How long a return waits here, for an answer and for the goods: longer than all is down. */
const waitSeconds = 60
const folder = join(stackFolder('returns'), 'failpoints')
/** What a workflow needs, all at once: its worker, its sidecar, and what both rest on. */
const victims = ['orders', 'orders.sidecar', 'placement', 'scheduler']
const points = ['before-step', 'after-step', 'before-commit', 'after-commit']

let stack: Stack
let shop: Shop
let people: ReturnType<typeof returnsOf>

before(async () => {
  await eraseStack('returns')
  mkdirSync(folder, { recursive: true })
  const orders = {
    ...{ RETURN_ANSWER_SECONDS: String(waitSeconds), RETURN_GOODS_SECONDS: String(waitSeconds) },
    ...{ RETURNS_APPROVED_UP_TO: '{"USD":1500}', FAILPOINTS: folder },
  }
  stack = await startStack({ profile: 'returns', ports: 'free', mtls: true, env: { orders } })
  shop = shopOf(stack)
  const key = String(stack.secrets['identity-signing-key'])
  people = returnsOf(shop, openMint(key, String(stack.sidecarEnvironment.TOKEN_ISSUER)))
})
after(() => stack?.stop())

const statusOf = ({ status, approvedBy }: OrderReturn) => [status, approvedBy]

/** Each end that a return may come to, by those who bring it there. */
const ends: Record<string, () => Promise<void>> = {
  'refunded and sold again': async () => {
    const { available, becomes, bought, decide, givenBack, receive, request } = people
    const order = await bought(2)
    const asked = await request(order, 2)
    await decide(order, asked, 'approved')
    await receive(order, asked, 'resellable')
    await becomes(order, asked, 'refunded')
    await givenBack(order, 3000)
    await available(order.sku, 2)
  },
  'approved by rule, written off': async () => {
    const { becomes, bought, givenBack, receive, request } = people
    const order = await bought(1)
    const asked = await request(order, 1, { reason: 'damaged' })
    assert.deepEqual(statusOf(asked), ['approved', 'rule'])
    await receive(order, asked, 'damaged')
    await becomes(order, asked, 'refunded')
    await givenBack(order, 1500)
    assert.equal((await shop.stockOf(order.sku)).available, 0)
  },
  exchanged: async () => {
    const { becomes, bought, decide, fulfilmentOf, givenBack, receive, request } = people
    const [order, [other]] = [await bought(2), (await shop.newLines([3], 1000)) as [Line]]
    const asked = await request(order, 2, { reason: 'wrong-item', exchangeFor: other.sku })
    await decide(order, asked, 'approved')
    await receive(order, asked, 'damaged')
    await becomes(order, asked, 'exchanged')
    await givenBack(order, 1000)
    assert.equal((await shop.stockOf(other.sku)).available, 1)
    const { lines } = await fulfilmentOf(order)
    assert.partialDeepStrictEqual(lines.at(-1), { sku: other.sku, ordered: 2, open: 2 })
  },
  rejected: async () => {
    const { becomes, bought, decide, fulfilmentOf, request } = people
    const order = await bought(2)
    const asked = await request(order, 2)
    await decide(order, asked, 'rejected')
    await becomes(order, asked, 'rejected')
    assert.deepEqual((await fulfilmentOf(order)).refunds, [])
  },
  'lapsed without an answer': async () => {
    const { becomes, bought, fulfilmentOf, request } = people
    const order = await bought(2)
    await becomes(order, await request(order, 2), 'lapsed')
    assert.deepEqual((await fulfilmentOf(order)).refunds, [])
  },
  'lapsed without the goods': async () => {
    const { becomes, bought, decide, fulfilmentOf, request } = people
    const order = await bought(2)
    const asked = await request(order, 2)
    await decide(order, asked, 'approved')
    await becomes(order, asked, 'lapsed')
    assert.deepEqual((await fulfilmentOf(order)).refunds, [])
  },
}

/** Has orders stand at a point, and kills it there with all that its workflows need. */
const strike = async (point: string): Promise<void> => {
  const armed = join(folder, `orders.${point}`)
  writeFileSync(armed, '')
  await eventually(`orders stands ${point}`, async () => existsSync(`${armed}.hit`), 120_000)
  rmSync(`${armed}.hit`)
  await Promise.all(victims.map((name) => stack.process(name).kill('SIGKILL')))
  await Promise.all(victims.map((name) => stack.process(name).ready()))
}

test('however a return ends, it ends so though all that its workflow needs is killed between its steps', async () => {
  const stories = Object.entries(ends).map(async ([name, end]) => {
    await end().catch((cause) => {
      throw new Error(name, { cause })
    })
  })
  const all = Promise.all(stories)
  all.catch(() => undefined) // Whoever waits for it hears of it.
  for (const point of points) await strike(point)
  await all
  const findings = await audit({ stack, settleSeconds: 60 })
  assert.deepEqual(
    findings.filter(({ found }) => found > 0),
    [],
  )
})
