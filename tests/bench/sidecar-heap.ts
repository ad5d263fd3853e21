import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { parseArgs } from 'node:util'
import { operations } from '@caravan/contracts/all'
import { addItem, getCart, removeItem, setItem } from '@caravan/contracts/carts'
import { isPublic, publicPath } from '@caravan/contracts/operation'
import { createAccessFeed } from '@caravan/service-kit/access-feed'
import { createAuthenticator } from '@caravan/service-kit/authenticate'
import { createLog } from '@caravan/service-kit/log'
import { createSidecar } from '@caravan/service-kit/sidecar'
import { accessOf } from '@caravan/service-kit/testing/access-of'
import { createTokenIssuer, issuer, kid } from '@caravan/service-kit/testing/token-issuer'
import { type Dispatcher, Pool } from 'undici'
import { createForward } from '../../apps/gateway/src/forward.ts'
import { createGateway } from '../../apps/gateway/src/gateway.ts'
import { createRateLimiter } from '../../apps/gateway/src/rate-limits.ts'
import { createReadCache } from '../../apps/gateway/src/read-cache.ts'
import { stackFolder } from '../../tools/launcher/stack-file.ts'
import { describeCommit, describeMachine } from './machine.ts'
import { startSidecarPair } from './sidecar-pair.ts'

/**
 * npm run heap -- [--requests N]: what the gateway's sidecar keeps of those who ask and of what they ask for. The gateway's own code, its
 * sidecar with the shop's pipeline, another sidecar and the smallest app; each request has another pair of address and id. Exit 1
 * when the heap, after a collection, is ever further than 5 MB from where it was after the first hundredth. A tenth as many requests
 * then go to the sidecar as they would with the public path and X-Forwarded-For, to compare.
 */

const addresses = 100_000
const ids = 50_000
const boundMB = 5
/** Enough for a machine that is busy with other things: nobody waits for an answer here. */
const concurrency = 256
const patienceMs = 60_000
const log = (line: string) => console.error(line)

const { values } = parseArgs({ options: { requests: { type: 'string', default: '1000000' } } })
const requests = Number(values.requests)
if (!Number.isInteger(requests) || requests < 1000) {
  log('npm run heap -- [--requests N], at least 1000')
  process.exit(2)
}

const serve = async (listener: RequestListener) => {
  // No connection is given up while the heap is looked at.
  const server = createServer({ keepAliveTimeout: 600_000 }, listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const stop = () => {
    server.closeAllConnections()
    server.close()
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, stop }
}

const { keys, bearer, publicKey } = createTokenIssuer()
const jwks = JSON.stringify({
  keys: [{ ...publicKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' }],
})
const identity = await serve((_, response) => response.end(jwks))
const pair = await startSidecarPair(stackFolder('heap'), {
  ...{ callee: 'carts', caller: 'gateway' },
  resources: [
    ...['components/common/ratelimit.yaml', 'components/common/bearer.yaml'],
    'dapr/resiliency/gateway.yaml',
  ],
  env: { TOKEN_ISSUER: issuer, IDENTITY_JWKS_URL: identity.url },
})
const port = (name: string) => Number(pair.caller.ports[name])

const day = 86_400
const authorization = bearer({ sub: 'anonymous', exp: Math.floor(Date.now() / 1000) + day })
const sidecar = createSidecar({ port: port('http'), token: pair.token, connections: concurrency })
const forward = createForward(sidecar)
const { state: access } = await accessOf(operations)
const quiet = createLog('gateway', 'silent')
const nothingNew = { version: access.version(), entries: [], hasMore: false }
const plenty = { quota: 1_000_000, windowSeconds: 1 }
const gateway = await serve(
  createGateway({
    ...{ access, healthy: () => true, documents: new Map(), cache: createReadCache() },
    feed: createAccessFeed({ state: access, log: quiet, read: async () => nothingNew }),
    config: { APP_API_TOKEN: pair.token, TRUSTED_PROXIES: ['127.0.0.1'], CORS_ORIGINS: [] },
    log: quiet,
    operations: operations.filter(isPublic),
    forward: (app, request) => forward(app, { ...request, deadlineMs: patienceMs }),
    token: { current: () => authorization.slice('Bearer '.length), renew: () => {} },
    limiter: createRateLimiter({ account: plenty, address: plenty, cached: plenty, webhook: plenty }),
    authenticate: createAuthenticator(keys, { issuer }),
  }).callback(),
)

/** Each has another pair of them, until there are no more pairs. */
const nth = (n: number) => {
  const address = n % addresses
  const cart = (n + Math.floor(n / addresses)) % ids
  return {
    address: `10.${address >> 16}.${(address >> 8) & 255}.${address & 255}`,
    cartId: `guest-${String(cart).padStart(32, '0')}`,
  }
}
const asked = [getCart, addItem, setItem, removeItem]
type Ask = (n: number) => Parameters<Pool['request']>[0]

const throughGateway: Ask = (n) => {
  const { address, cartId } = nth(n)
  const operation = asked[n % asked.length] ?? getCart
  const hasBody = operation.method === 'POST' || operation.method === 'PUT'
  return {
    method: operation.method,
    path: publicPath(operation, { cartId, sku: 'GAIWAN-WHITE' }),
    headers: { 'x-forwarded-for': address, ...(hasBody ? { 'content-type': 'application/json' } : {}) },
    body: hasBody ? '{"sku":"GAIWAN-WHITE","quantity":1}' : null,
  }
}
const withIdInPath: Ask = (n) => {
  const { address, cartId } = nth(n)
  return {
    ...{
      method: 'GET' as Dispatcher.HttpMethod,
      path: `/v1.0/invoke/carts/method${publicPath(getCart, { cartId })}`,
    },
    headers: { 'x-forwarded-for': address, authorization, 'dapr-api-token': pair.token },
  }
}

/** Sends requests `from` to `to` and counts their statuses. */
const send = async (pool: Pool, ask: Ask, from: number, to: number, statuses: Map<number, number>) => {
  let next = from
  const work = async () => {
    while (next < to) {
      const n = next
      next += 1
      const { statusCode, body } = await pool.request(ask(n))
      await body.dump()
      statuses.set(statusCode, (statuses.get(statusCode) ?? 0) + 1)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, work))
}

/** Bytes that live, after two collections: what has a finaliser goes with the second. */
const heap = async (): Promise<number> => {
  let text = ''
  for (let n = 0; n < 2; n += 1)
    text = await (await fetch(`http://127.0.0.1:${port('profile')}/debug/pprof/heap?gc=1&debug=1`)).text()
  return Number(/^# HeapAlloc = (\d+)$/m.exec(text)?.[1])
}

/** Gives the largest distance of the heap, in MB, from where it was after the first hundredth. */
const measure = async (title: string, origin: string, ask: Ask, total: number): Promise<number> => {
  const pool = new Pool(origin, { connections: concurrency, pipelining: 1 })
  const statuses = new Map<number, number>()
  const begun = Date.now()
  const steps = [0.01, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1].map((part) => Math.round(part * total))
  log(`\n${title}\n| requests | heap, MB | more than at first, MB |\n| ---: | ---: | ---: |`)
  let [sent, first, widest] = [0, 0, 0]
  for (const step of steps) {
    await send(pool, ask, sent, step, statuses)
    sent = step
    const now = (await heap()) / 1e6
    first ||= now
    widest = Math.max(widest, Math.abs(now - first))
    log(`| ${step.toLocaleString('en')} | ${now.toFixed(1)} | ${(now - first).toFixed(1)} |`)
  }
  const told = [...statuses].map(([status, count]) => `${count.toLocaleString('en')} with ${status}`)
  log(`${((Date.now() - begun) / 1000).toFixed(0)} s; answered ${told.join(', ')}`)
  await pool.close()
  if (![...statuses.keys()].every((status) => [200, 201, 429].includes(status)))
    throw new Error('not what the app answers')
  return widest
}

try {
  log(`${new Date().toISOString()}, commit ${describeCommit()}, ${describeMachine(undefined)}`)
  const what = `${addresses.toLocaleString('en')} addresses, ${ids.toLocaleString('en')} ids`
  const widest = await measure(`As the gateway asks: ${what}`, gateway.url, throughGateway, requests)
  await measure(
    'With ids in the path, and X-Forwarded-For',
    `http://127.0.0.1:${port('http')}`,
    withIdInPath,
    requests / 10,
  )
  const isFlat = widest <= boundMB
  log(`\n${isFlat ? 'flat' : 'NOT FLAT'}: ${widest.toFixed(1)} MB at most, ${boundMB} MB allowed`)
  process.exitCode = isFlat ? 0 : 1
} finally {
  await sidecar.close()
  gateway.stop()
  identity.stop()
  await pair.stop()
}
process.exit()
