import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { events, operations } from '@caravan/contracts/all'
import { pictureFile } from '@caravan/contracts/catalog'
import { invokedPath, parametersOf } from '@caravan/contracts/operation'
import { newId } from '@caravan/service-kit/ids'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { callsOf } from '../../tools/access-control.ts'
import { eraseStack } from '../../tools/launcher/erase-stack.ts'
import { type Stack, startStack } from '../../tools/launcher/stack.ts'
import { type Shop, shopOf } from '../support/shop.ts'
import { askAt, sidecarsOf } from '../support/sidecar.ts'
import { openMint } from '../support/tokens.ts'
import { outsidersOf, type Papers } from './outsider.ts'

let stack: Stack
let shop: Shop
/** An app's sidecar, with a member's token, which the gateway's wants. */
let ask: ReturnType<typeof sidecarsOf>

before(async () => {
  await eraseStack('mtls')
  stack = await startStack({ profile: 'mtls', ports: 'free', mtls: true })
  shop = shopOf(stack)
  const key = String(stack.secrets['identity-signing-key'])
  const member = openMint(key, String(stack.sidecarEnvironment.TOKEN_ISSUER)).member()
  const headers = { authorization: `Bearer ${member.token}` }
  const sidecars = sidecarsOf(stack)
  ask = (app, method, path, more) => sidecars(app, method, path, { headers, ...more })
})
after(() => stack?.stop())

const apps = ['identity', 'catalog', 'inventory', 'carts', 'orders', 'payments', 'promotions', 'gateway']

interface Case {
  readonly app: string
  readonly what: string
  readonly allowed: boolean
  readonly method: string
  readonly path: string
  readonly body?: unknown
  /** How the sidecar says no. */
  readonly refusal: RegExp
}

/** Asks the sidecar of each case's app, one app's cases in turn, and gives those whose answer is not as it should be. */
const wrongly = async (cases: readonly Case[]): Promise<string[]> => {
  assert.ok(cases.some(({ allowed }) => allowed) && cases.some(({ allowed }) => !allowed))
  const found = await Promise.all(
    apps.map(async (name) => {
      const wrong: string[] = []
      for (const { app, what, allowed, method, path, body, refusal } of cases.filter(
        ({ app }) => app === name,
      )) {
        const { status, text, errorCode } = await ask(app, method, path, { body })
        const asItShould = allowed ? errorCode === undefined : status >= 400 && refusal.test(text)
        // Never what should not have been told.
        if (!asItShould) wrong.push(`${app}, ${what}: ${status} ${status < 300 ? '' : text}`)
      }
      return wrong
    }),
  )
  return found.flat()
}

test('the shop sells', async () => {
  const shopper = await shop.newShopper()
  const [line] = await shop.newLines([2])
  assert.ok(line)
  const cart = await shop.door('POST', '/v1/carts/mine/items', {
    token: shopper.token,
    body: { sku: line.sku, quantity: 1 },
  })
  assert.equal(cart.status, 200, cart.text)
  const order = await shop.placeOrder(shopper, [line])
  await shop.pay(shopper, order.id)
  assert.equal((await shop.settled(shopper, order.id)).status, 'confirmed')
  await eventually('the cart is empty', async () => {
    const { body } = await shop.door('GET', '/v1/carts/mine', { token: shopper.token })
    return body.lines.length === 0
  })
})

test('an app may call what its contracts and sources say, and nothing else', async () => {
  const cases = apps.flatMap((app) => {
    const calls = callsOf(app)
    return operations
      .filter((operation) => operation.app !== app)
      .map((operation) => ({
        ...{ app, what: operation.id, allowed: calls.includes(operation), method: operation.method },
        path: `/v1.0/invoke/${operation.app}/method${invokedPath(operation)}?${new URLSearchParams(
          parametersOf(operation).map((name): [string, string] => [name, newId()]),
        )}`,
        ...(operation.body ? { body: {} } : {}),
        refusal: /access control policy has denied access/,
      }))
  })
  const pictures = apps
    .filter((app) => app !== 'catalog')
    .map((app) => ({
      ...{ app, what: 'a picture', allowed: app === 'gateway', method: 'GET' },
      path: `/v1.0/invoke/catalog/method${invokedPath(pictureFile)}?file=backpack-navy.svg`,
      refusal: /access control policy has denied access/,
    }))
  assert.deepEqual(await wrongly([...cases, ...pictures]), [])
})

test('a sidecar serves its own app only', async () => {
  const path = '/v1.0/secrets/secretstore/redis-password'
  for (const app of apps) {
    for (const token of [null, 'a guess of sixteen characters or more', String(stack.tokens[app]?.app)]) {
      const answer = await ask(app, 'GET', path, { token })
      assert.equal(answer.status, 401, `${app}: ${answer.text}`)
      assert.match(answer.text, /invalid api token/)
    }
    // Let in, and then refused for another reason.
    assert.equal((await ask(app, 'GET', path)).status, 403)
  }
})

test('no app publishes the events of another', async () => {
  const publishers = apps.filter((app) => app !== 'gateway')
  const cases = events.flatMap(({ topic, publisher, example }) =>
    publishers
      // What may be published would have its effect; an order that nobody placed has none.
      .filter((app) => app !== publisher || topic === 'order.placed')
      .map((app) => ({
        ...{ app, what: topic, allowed: app === publisher, method: 'POST', body: example },
        ...{ path: `/v1.0/publish/pubsub/${topic}`, refusal: /ERR_PUBSUB_FORBIDDEN/ },
      })),
  )
  assert.deepEqual(await wrongly(cases), [])
})

const readers: Record<string, string[]> = {
  'carrier-webhook-secret': ['orders'],
  'gateway-client-secret': ['gateway', 'identity'],
  'identity-signing-key': ['identity'],
  'identity-token-secret': ['identity'],
  'oidc-client-secret': ['identity'],
  'operator-email': ['identity'],
  'operator-password': ['identity'],
  'psp-webhook-secret': ['payments'],
}

test('an app reads its own secrets only', async () => {
  const names = Object.keys(stack.secrets)
  assert.ok(names.includes('redis-password') && names.includes('orders-mysql'))
  const cases = names.flatMap((name) =>
    apps.map((app) => ({
      ...{ app, what: name, method: 'GET', path: `/v1.0/secrets/secretstore/${name}` },
      allowed: name === `${app}-mysql` || (readers[name] ?? []).includes(app),
      refusal: /ERR_PERMISSION_DENIED/,
    })),
  )
  assert.deepEqual(await wrongly(cases), [])
})

test('an app has the components that are its own', async () => {
  const withEvents = apps.filter((app) => app !== 'gateway')
  const publish = (pubsub: string) => ({ method: 'POST', path: `/v1.0/publish/${pubsub}/order.placed` })
  const components: (Pick<Case, 'method' | 'path' | 'body' | 'refusal'> & { of: string[] })[] = [
    { of: withEvents, method: 'GET', path: '/v1.0/state/statestore/mtls', refusal: /ERR_STATE_STORE_NOT_/ },
    {
      ...{
        of: ['inventory', 'orders', 'payments', 'promotions'],
        method: 'POST',
        path: '/v1.0-alpha1/lock/lockstore',
      },
      body: { resourceId: 'mtls', lockOwner: 'mtls', expiryInSeconds: 1 },
      refusal: /ERR_LOCK_STORE_NOT_/,
    },
    {
      ...{ of: ['orders', 'gateway'], method: 'GET', path: '/v1.0/configuration/configstore?key=mtls' },
      refusal: /ERR_CONFIGURATION_STORE_NOT_/,
    },
    {
      ...{ of: ['payments'], method: 'GET', path: '/v1.0/invoke/psp/method/v1/charges?reference=mtls' },
      refusal: /ERR_DIRECT_INVOKE/,
    },
    { of: withEvents, ...publish('pubsub'), body: {}, refusal: /ERR_PUBSUB_NOT_/ },
    { of: apps, ...publish('broadcast'), body: {}, refusal: /ERR_PUBSUB_NOT_/ },
  ]
  const cases = components.flatMap(({ of, ...request }) =>
    apps
      // To publish is for who has the component still a question of the topic.
      .filter((app) => !request.path.includes('/publish/') || !of.includes(app))
      .map((app) => ({ app, what: request.path, allowed: of.includes(app), ...request })),
  )
  assert.deepEqual(await wrongly(cases), [])
})

const papersOf = (app: string): Papers => ({
  sentryPort: Number(stack.process('sentry').ports.grpc),
  anchors: readFileSync(join(stack.dir, 'trust/ca.crt'), 'utf8'),
  tokenFile: join(stack.dir, `trust/${app}.token`),
})

const listCategories = (port: number) =>
  askAt(port, 'GET', '/v1.0/invoke/catalog/method/operations/listCategories')

test('a sidecar with no certificate of the shop reaches no app, whatever its name', async (t) => {
  const outsiders = await outsidersOf(stack, t)
  const own = await outsiders.sentry()
  const shops = papersOf('gateway')
  const cases: [string, Papers | undefined, boolean][] = [
    ['with-the-papers-of-the-gateway', shops, true],
    ['without-mtls', undefined, false],
    ['of-another-authority', own, false],
    ['of-another-authority-but-trusting-the-shop', { ...own, anchors: own.anchors + shops.anchors }, false],
  ]
  for (const [name, papers, allowed] of cases) {
    const sidecar = await outsiders.sidecar(name, papers)
    await sidecar.start()
    await sidecar.ready()
    const answer = await listCategories(Number(sidecar.ports.http))
    if (allowed) assert.equal(answer.status, 200, `${name}: ${answer.text}`)
    else assert.equal(answer.errorCode, 'ERR_DIRECT_INVOKE', `${name}: ${answer.text}`)
  }
})

test('sentry signs for no name but the one that its token is for', async (t) => {
  const outsiders = await outsidersOf(stack, t)
  const { sentryPort, anchors } = papersOf('gateway')
  for (const [name, papers] of [
    ['with-the-token-of-carts', papersOf('carts')],
    ['without-a-token', { sentryPort, anchors }],
  ] as const) {
    const sidecar = await outsiders.sidecar(name, papers)
    await sidecar.start()
    await eventually('the sidecar gives up', () => !sidecar.running())
    assert.match(readFileSync(sidecar.logFile, 'utf8'), /from sentry SignCertificate/, name)
  }
})
