import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { selfSigned } from '../../deploy/gateway/self-signed.mjs'
import { rolledOut, tell } from '../../tools/cluster/addons.ts'
import { inOwnNetwork, provideCluster, startCluster } from '../../tools/cluster/cluster.ts'
import { buildImages } from '../../tools/containers/build-images.ts'
import { findDocker } from '../../tools/containers/docker.ts'
import { provideEngine } from '../../tools/containers/engine.ts'
import { namespace } from '../../tools/kubernetes/dapr-resources.ts'
import { repository, trustDoor } from '../../tools/launcher/stack-file.ts'
import { audit } from '../audit/audit.ts'
import { openClientLog } from '../support/client-log.ts'
import { shopOf } from '../support/shop.ts'
import { door, installRollouts, installTraefik, provideAddOns } from './canary/add-ons.ts'
import { releasesOf } from './canary/releases.ts'
import { startTraffic } from './canary/side-traffic.ts'
import { shopImages, startShop, tag } from './cluster-shop.ts'
import { step } from './step.ts'

// npm run verify:canary: on the cluster of verify:kubernetes, bad versions of gateway and orders go back by themselves, and good ones go on, while
// clients buy. Exit 0 only when all of it held. --keep leaves the images, in the engine and in the node, for the next time.

const { keep, inside } = parseArgs({
  options: { keep: { type: 'boolean', default: false }, inside: { type: 'boolean', default: false } },
}).values

const log = (line: string) => console.error(line)
const folder = join(repository, '.caravan/cluster')
const profile = 'cluster/.caravan/shop'
/** Requests a second: of these 5 % are as many as a comparison wants in its window. */
const pace = { reads: 80, checkouts: 2 }

/** The network of the cluster is not that of this machine: what has to be fetched is there before. */
const outside = async (): Promise<number> => {
  const engine = await step('a Docker engine', () => provideEngine(log))
  try {
    await step('the cluster’s programs and images', async () => {
      await provideCluster(engine.docker, log)
      await provideAddOns(engine.docker, log)
    })
    const ca = process.env.NODE_EXTRA_CA_CERTS
    await step('images of the apps', () => buildImages(engine.docker, { tag, ca }, log))
    const code = await inOwnNetwork(import.meta.filename, ['--inside', ...process.argv.slice(2)])
    if (code === 0 && !keep) rmSync(folder, { recursive: true })
    return code
  } finally {
    await engine.release(keep)
  }
}

const verify = async (): Promise<void> => {
  const docker = findDocker() ?? 'docker'
  const provided = await provideCluster(docker, log)
  const images = [...shopImages, ...(await provideAddOns(docker, log))]
  mkdirSync(folder, { recursive: true })
  // Of the last time images stay, and nothing else.
  for (const place of readdirSync(folder))
    if (!['containerd', 'images.json'].includes(place)) rmSync(join(folder, place), { recursive: true })
  const node = await startCluster(provided, images, folder, step, log)
  const { kubectl } = node
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void node.stop().finally(() => process.exit(1)))
  const inShop = (...args: string[]) => tell(kubectl, [...args, `--namespace=${namespace}`])
  const program = join(provided.programs.kubernetes, 'kubectl')
  const { healthy, begin, judged, stateOf } = releasesOf(program, node.kubeconfig)
  try {
    await step('Argo Rollouts', () => installRollouts(kubectl))
    const tls = join(folder, 'tls')
    selfSigned(tls, [door])
    const deployed = await step('the shop behind Traefik, with Prometheus', async () => {
      const overlay = join(import.meta.dirname, 'canary')
      const shop = await startShop(node, program, folder, overlay, (text) =>
        text.replaceAll('shop.example', door),
      )
      const files = ['cert=certificate.pem', 'key=key.pem'].map(
        (each) => `--${each.replace('=', `=${tls}/`)}`,
      )
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
        for (let times = 0; times < 20; times++)
          assert.equal(await ask({ 'x-canary': 'true' }), 'good-gateway')
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
      deployed.attached(profile, async (stack) => {
        const findings = await audit({ stack, clientLog: clientLog.file, log })
        const wrong = findings.flatMap(({ check, violations }) =>
          violations.map((what) => `${check}: ${what}`),
        )
        assert.deepEqual(wrong, [])
      }),
    )
  } catch (error) {
    log(kubectl(['get', 'pods', '--all-namespaces', '--output=wide']).stdout)
    log(kubectl(['get', 'rollouts,analysisruns', `--namespace=${namespace}`, '--output=yaml']).stdout)
    log(`the logs of the node and its pods are in ${folder}`)
    if (process.env.VERIFY_PAUSE) await new Promise((next) => setTimeout(next, 1_000_000))
    throw error
  } finally {
    await node.stop()
  }
}

try {
  if (inside) await verify()
  else process.exitCode = await step('in all', outside)
} catch (error) {
  console.error(error)
  process.exitCode = 1
}
