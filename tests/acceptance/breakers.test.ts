import assert from 'node:assert/strict'
import { test } from 'node:test'
import { getSeller, listCategories } from '@caravan/contracts/catalog'
import { invokedPath, type Operation } from '@caravan/contracts/operation'
import { newId } from '@caravan/service-kit/ids'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { sidecarsOf } from '../support/sidecar.ts'
import { mint, shop, stack } from '../support/stack.ts'

/** As many failures in a row as a breaker between apps endures. */
const endured = 10

/** Through the sidecar of an app that never asks catalog itself. */
const ask = (operation: Pick<Operation, 'id' | 'app'>, query = '') =>
  sidecarsOf(stack)(
    'identity',
    'GET',
    `/v1.0/invoke/${operation.app}/method${invokedPath(operation)}${query}`,
  )
const isOpen = ({ text }: { text: string }) => /circuit breaker is open/.test(text)

test('a breaker opens when an operation has failed for different things, and shuts that operation only', async () => {
  const id = newId()
  const text = { en: 'Tester', zh: 'Tester' }
  const body = { name: text, description: text }
  await shop.door('PUT', `/v1/sellers/${id}`, { token: await shop.asOperator(), body })
  const read = (sellerId: string) => ask(getSeller, `?sellerId=${sellerId}`)
  assert.equal((await read(id)).status, 200)
  for (let n = 0; n <= endured; n += 1) assert.equal((await read(newId())).status, 404)
  assert.ok(isOpen(await read(id)))
  assert.equal((await ask(listCategories)).status, 200)
  await eventually('it closes', async () => (await read(id)).status === 200)
})

test('who pays other people’s orders again and again keeps nobody from paying', async () => {
  const rude = mint.member()
  const method = await shop.tokenise()
  for (let n = 0; n < 2 * endured; n += 1)
    assert.equal((await shop.tryPay(rude, newId(), method)).status, 404)
  const [line] = await shop.newLines([1])
  assert.ok(line)
  const shopper = mint.member()
  const order = await shop.placeOrder(shopper, [line])
  const paid = await shop.tryPay(shopper, order.id, method)
  assert.equal(paid.status, 201, paid.text)
})
