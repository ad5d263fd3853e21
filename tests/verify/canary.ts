import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { selfSigned } from '../../deploy/gateway/self-signed.mjs'
import { rolledOut } from '../../tools/cluster/addons.ts'
import type { Node } from '../../tools/cluster/node.ts'
import { namespace } from '../../tools/kubernetes/dapr-resources.ts'
import { tell } from '../../tools/kubernetes/kubectl.ts'
import { trustDoor } from '../../tools/launcher/stack-file.ts'
import { openClientLog } from '../support/client-log.ts'
import { shopOf } from '../support/shop.ts'
import { assertAudited } from './assert-audited.ts'
import { door, installRollouts, installTraefik, provideAddOns } from './canary/add-ons.ts'
import { releasesOf } from './canary/releases.ts'
import { startTraffic } from './canary/side-traffic.ts'
import { startShop } from './cluster-shop.ts'
import { folder, inCluster, log, profile } from './in-cluster.ts'
import { step } from './step.ts'

// npm run verify:canary: on the cluster of verify:kubernetes, bad versions of gateway and orders go back by themselves, and good ones go on, while
// clients buy. Exit 0 only when all of it held. --keep leaves the images, in the engine and in the node, for the next time.

const { keep, inside } = parseArgs({
  options: { keep: { type: 'boolean', default: false }, inside: { type: 'boolean', default: false } },
}).values

/** Requests a second: of these 5 % are as many as a comparison wants in its window. */
const pace = { reads: 80, checkouts: 2 }

const verify = async (node: Node, program: string): Promise<void> => {
  const { kubectl } = node
  const inShop = (...args: string[]) => tell(kubectl, [...args, `--namespace=${namespace}`])
  const { healthy, begin, judged, stateOf } = releasesOf(program, node.kubeconfig)
  await step('Argo Rollouts', () => installRollouts(kubectl))
  const tls = join(folder, 'tls')
  selfSigned(tls, [door])
  const deployed = await step('the shop behind Traefik, with Prometheus', async () => {
    const overlay = join(import.meta.dirname, 'canary')
    const shop = await startShop(node, program, folder, overlay, (text) =>
      text.replaceAll('shop.example', door),
    )
    const files = ['cert=certificate.pem', 'key=key.pem'].map((each) => `--${each.replace('=', `=${tls}/`)}`)
    inShop('create', 'secret', 'tls', 'shop-tls', ...files)
    await installTraefik(kubectl)
    await rolledOut(kubectl, 'deployment/prometheus', namespace)
    await Promise.all(['gateway', 'orders'].map(healthy))
    return shop
  })
  trustDoor({ certificateFile: join(tls, 'certificate.pem') })
  const secrets = JSON.parse(readFileSync(deployed.values, 'utf8'))
  const shop = shopOf({ ...deployed, url: `https://${door}`, secrets })
  await step('the door answers', () =>
    eventually(
      'the shop at the door',
      async () => (await shop.door('GET', '/readyz')).status === 200,
      60_000,
    ),
  )
  const clientLog = openClientLog(join(folder, 'clients.jsonl'))
  const goods = await shop.newLines([100_000])
  const traffic = startTraffic(shop, goods, clientLog, pace)
  // What is compared is not a shop that has just begun.
  await pause(60_000)

  for (const app of ['gateway', 'orders'])
    for (const fault of ['slow', 'faulty'] as const) {
      const { stableRS: before } = await stateOf(app)
      traffic.statuses()
      const message = await step(`${app}, ${fault}: withdrawn`, async () => {
        await begin(app, `${fault}-${app}`, fault)
        const { promoted, message, stable } = await judged(app)
        assert.ok(!promoted, `a ${fault} ${app} was promoted`)
        assert.equal(stable, before)
        assert.match(message, fault === 'slow' ? /"slower" assessed Failed/ : /"faulty" assessed Failed/)
        return message
      })
      log(`${message}; answers ${JSON.stringify(traffic.statuses())}`)
    }

  await step('gateway and orders, good: promoted', async () => {
    const asked: Promise<void>[] = []
    const release = async (app: string) => {
      const began = await begin(app, `good-${app}`)
      const { promoted, message, stable } = await judged(app, (at) => {
        if (app === 'gateway' && at === 1) asked.push(assertHeader())
      })
      assert.ok(promoted, `a good ${app} was withdrawn: ${message}`)
      assert.equal(stable, began)
    }
    const assertHeader = async () => {
      const ask = async (headers: Record<string, string>) =>
        (await shop.door('GET', '/readyz', { headers })).headers.get('x-release')
      for (let times = 0; times < 20; times++) assert.equal(await ask({ 'x-canary': 'true' }), 'good-gateway')
      const others = await Promise.all(Array.from({ length: 100 }, () => ask({})))
      assert.ok(others.filter((each) => each === 'good-gateway').length < 20, 'all go to the new version')
    }
    await Promise.all(['gateway', 'orders'].map(release))
    await Promise.all(asked)
    assert.equal(asked.length, 1)
  })
  log(`answers ${JSON.stringify(traffic.statuses())}`)
  const orders = await step('what was begun is bought', () => traffic.stop())
  assert.ok(orders.length > 100)
  await step(`audit of ${orders.length} orders`, () =>
    deployed.attached(profile, (stack) => assertAudited({ stack, clientLog: clientLog.file, log })),
  )
}

await inCluster({
  ...{ module: import.meta.filename, inside, keep, verify },
  provideMore: (docker) => provideAddOns(docker, log),
  tellOf: ['rollouts,analysisruns', '--output=yaml'],
})
