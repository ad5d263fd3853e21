import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newId } from '@caravan/service-kit/ids'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { newAddress, openDoor } from '../support/door.ts'
import { linkIn } from '../support/inbox.ts'
import { cards } from '../support/shop.ts'
import { shop, stack } from '../support/stack.ts'

const { door } = shop

/** What is found of any canary, by its name, in a text. */
const found = (canaries: ReadonlyMap<string, string>, where: string, text: string): string[] =>
  [...canaries].flatMap(([name, canary]) => (text.includes(canary) ? [`${name} in ${where}`] : []))

/** Lines of a PEM, each long enough to be told by itself. */
const linesOf = (pem: string) => pem.split('\n').filter((line) => /^[\w+/=]{40,}$/.test(line))

test('a shopper’s passwords, tokens and card, and the shop’s own secrets, are in no log and no metric', async () => {
  const canaries = new Map<string, string>()
  const plant = (name: string, canary: string): string => {
    canaries.set(name, canary)
    return canary
  }
  const password = plant('password', `canary-${newId()}`)
  const email = `canary-${newId()}@example.com`
  await door('POST', '/v1/accounts', { body: { email, password, name: 'Canary' } })
  const wrong = plant('wrong password', `canary-${newId()}`)
  const headers = { 'x-forwarded-for': newAddress() }
  await door('POST', '/v1/sessions', { body: { email, password: wrong }, headers })
  const signedIn = (await door('POST', '/v1/sessions', { body: { email, password } })).body
  const { refreshToken } = (
    await door('POST', '/v1/sessions/refresh', { body: { refreshToken: signedIn.refreshToken } })
  ).body
  plant('refresh token', signedIn.refreshToken)
  plant('next refresh token', refreshToken)
  const token = plant('access token', signedIn.accessToken)
  // Wrong ways to send a secret are ways into a log, too.
  await door('GET', `/v1/products?access_token=${token}`, {})
  await door('POST', '/v1/sessions', { raw: `{"email":"${email}","password":"${password}"`, headers })
  await door('POST', '/v1/sessions', { body: { email, password: { $ne: wrong } }, headers })

  const shopper = { id: '', email, password, token }
  const [line] = await shop.newLines([2])
  assert.ok(line)
  const order = await shop.placeOrder(shopper, [line])
  plant('card number', cards.good)
  const method = plant('payment method', await shop.tokenise(cards.good))
  const paid = await shop.tryPay(shopper, order.id, method)
  assert.equal(paid.status, 201, paid.text)
  await shop.settled(shopper, order.id)

  const confirmation = await linkIn(openDoor(stack.mailUrl), email, /^Confirm/)
  plant('token of a link', confirmation)
  await door('POST', '/v1/address-confirmations', { body: { token: confirmation } })
  const client = (
    await door('POST', '/v1/clients', { token: await shop.asOperator(), body: { name: 'canary' } })
  ).body
  plant('client secret', client.secret)
  const form = `grant_type=client_credentials&client_id=${client.id}&client_secret=${client.secret}`
  const type = { 'content-type': 'application/x-www-form-urlencoded' }
  plant(
    'client’s token',
    (await door('POST', '/v1/oauth2/token', { raw: form, headers: type })).body.access_token,
  )

  for (const [name, secret] of Object.entries(stack.secrets)) {
    if (name.endsWith('-email') || secret === '') continue
    const password = name.endsWith('-mysql') ? new URL(secret).password : secret
    for (const [index, line] of (/BEGIN/.test(password) ? linesOf(password) : [password]).entries())
      plant(`${name} ${index}`, line)
  }
  for (const [app, pair] of Object.entries(stack.tokens))
    for (const [of, secret] of Object.entries(pair)) plant(`${app}’s ${of} API token`, secret)
  assert.ok(canaries.size > 40)

  const traceId = (await door('GET', '/v1/nowhere')).body.traceId
  await eventually('the log has been written', () => stack.logs('gateway').includes(traceId))
  for (const name of stack.names)
    assert.deepEqual(found(canaries, `the log of ${name}`, stack.logs(name)), [])
  for (const name of stack.names.filter((each) => stack.names.includes(`${each}.sidecar`))) {
    const metrics = await fetch(`http://127.0.0.1:${stack.process(name).ports.app}/metrics`)
    assert.deepEqual(found(canaries, `the metrics of ${name}`, await metrics.text()), [])
    const { metrics: port } = stack.process(`${name}.sidecar`).ports
    const sidecar = await fetch(`http://127.0.0.1:${port}/metrics`)
    assert.deepEqual(found(canaries, `the metrics of ${name}’s sidecar`, await sidecar.text()), [])
  }
})
