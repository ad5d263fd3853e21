import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { mint, shop } from '../support/stack.ts'

const rounds = 100

test(`${rounds} rounds of pay against cancel: one winner each, and the money of a lost payment goes back`, async () => {
  const [line] = await shop.newLines([rounds])
  assert.ok(line)
  const won = { pay: 0, cancel: 0 }
  // How far ahead of its cancel a payment starts, in milliseconds. Whoever wins gives way to the other (a staircase), so the
  // rounds stay about the moment where either can win, however fast the machine is.
  let lead = 30

  const round = async (): Promise<void> => {
    const shopper = mint.member()
    const [orderKey, key] = [crypto.randomUUID(), crypto.randomUUID()]
    const order = await shop.persistently(() => shop.tryOrder(shopper, [line], { key: orderKey }))
    assert.equal(order.status, 201, order.text)
    const method = await shop.tokenise()
    const [paid, cancelled] = await Promise.all([
      shop.persistently(() => shop.tryPay(shopper, order.body.id, method, { key })),
      pause(lead).then(() => shop.persistently(() => shop.cancel(shopper, order.body.id))),
    ])
    const captured = paid.status === 201 && paid.body.status === 'captured'
    const end = await eventually(`order ${order.body.id} is at rest`, async () => {
      const now = await shop.settled(shopper, order.body.id)
      // A cancelled order is told of its captured payment by event.
      return (now.status === 'confirmed' || !captured || now.payment?.status === 'refunded') && now
    })
    const ledger = await shop.ledgerOf(order.body.id)
    assert.equal(
      ledger.reduce((sum, entry) => sum + entry.amount, 0),
      0,
    )
    const inHand = ledger
      .filter((entry) => entry.account === 'provider')
      .reduce((sum, entry) => sum + entry.amount, 0)
    if (end.status === 'confirmed') {
      won.pay += 1
      lead /= 1.25
      assert.equal(paid.status, 201, paid.text)
      assert.equal(cancelled.status, 409, 'a confirmed order was told that it is cancelled')
      assert.equal(inHand, order.body.total)
    } else {
      won.cancel += 1
      lead *= 1.25
      assert.equal(cancelled.status, 200, cancelled.text)
      assert.equal(inHand, 0, 'money was kept for a cancelled order')
    }
    if (paid.status === 201) {
      const charges = await shop.chargesOf(paid.body.id)
      assert.equal(charges.length, 1, 'charged once')
      assert.equal((charges[0]?.amount ?? 0) - (charges[0]?.refunded ?? 0), inHand)
    }
  }

  for (let done = 0; done < rounds; done += 10) await Promise.all(Array.from({ length: 10 }, round))
  assert.equal(won.pay + won.cancel, rounds)
  assert.ok(won.pay > 0 && won.cancel > 0, JSON.stringify(won))
  const stock = await eventually('no stock is held', async () => {
    const now = await shop.stockOf(line.sku)
    return now.reserved === 0 && now
  })
  assert.deepEqual(stock, {
    sku: line.sku,
    received: rounds,
    available: won.cancel,
    reserved: 0,
    sold: won.pay,
  })
  assert.equal(await shop.ledgerBalance(), 0)
})
