import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { rolledOut } from '../../tools/cluster/addons.ts'
import type { Node } from '../../tools/cluster/node.ts'
import { namespace } from '../../tools/kubernetes/dapr-resources.ts'
import { type Kubectl, tell } from '../../tools/kubernetes/kubectl.ts'
import { openGuard } from '../../tools/launcher/guard.ts'
import { run } from '../../tools/launcher/run.ts'
import { repository } from '../../tools/launcher/stack-file.ts'
import type { LoadReport } from '../load/report.ts'
import { openClientLog } from '../support/client-log.ts'
import { shopOf } from '../support/shop.ts'
import { assertAudited } from './assert-audited.ts'
import { assertRefusals } from './cluster-refusals.ts'
import { apps, startShop } from './cluster-shop.ts'
import { folder, inCluster, log, profile } from './in-cluster.ts'
import { checkOut } from './persistent-checkout.ts'
import { step } from './step.ts'

// npm run verify:kubernetes: the overlay `test` on a real cluster of one node, made here from etcd to kubelet, with Dapr by its chart. Exit 0
// only when all of it held. --keep leaves the images, in the engine and in the node, for the next time; --rate is for a machine that
// cannot carry 20 checkouts a second.

const options = parseArgs({
  options: {
    keep: { type: 'boolean', default: false },
    rate: { type: 'string', default: '20' },
    inside: { type: 'boolean', default: false },
  },
}).values
const { keep, inside } = options
/** Checkouts a second while apps are rolled. */
const rate = Number(options.rate)
/** Apps that are rolled together. */
const atOnce = 1

/** What the shop's containers hold now, a line a program: how many there are, and their MiB. */
const memory = async (kubectl: Kubectl): Promise<string> => {
  const lines = await eventually(
    'the figures of all pods are there',
    () => {
      const args = ['top', 'pods', '--containers', '--no-headers', `--namespace=${namespace}`]
      const { ok, stdout } = kubectl(args)
      return ok && stdout.trim().split('\n')
    },
    120_000,
  )
  const used = lines
    .map((line) => line.trim().split(/\s+/))
    .map(([pod = '', name = '', , memory]) => {
      const workload = pod.replace(/-[0-9a-f]{8,10}-\w{5}$|-\d+$/, '')
      return {
        what: name === 'app' || name === workload ? workload : `${workload} ${name}`,
        mib: Number.parseInt(memory ?? '0', 10),
      }
    })
  const sum = (some: typeof used) => some.reduce((total, { mib }) => total + mib, 0)
  const rows = [...Map.groupBy(used, ({ what }) => what)].map(
    ([what, some]) => `${String(sum(some)).padStart(7)} MiB  ${what} × ${some.length}`,
  )
  return [...rows, `${String(sum(used)).padStart(7)} MiB  in all`].join('\n')
}

/** Clients that ask once: a request that fails, fails the load. */
const startLoad = (
  scenario: 'browse' | 'checkout',
  clientLog: string,
  howMany: { rate: number } | { concurrency: number },
) => {
  const output = openSync(join(folder, 'load.json'), 'w')
  const settings = { ...howMany, seconds: 3600, 'warm-up': 5, products: 20, profile, 'client-log': clientLog }
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)])
  const program = [join(repository, 'tests/load/main.ts'), scenario, ...args]
  const guard = openGuard()
  const [file = '', ...words] = guard.wrap([process.execPath, ...program])
  const child = spawn(file, words, { stdio: ['ignore', output, 'inherit'] })
  if (child.pid) guard.started('load', child.pid)
  const ended = new Promise<void>((done) => child.once('exit', () => done()))
  return {
    /** Orders that were confirmed to a client. */
    sold: () =>
      existsSync(clientLog) ? readFileSync(clientLog, 'utf8').split('"order-confirmed"').length - 1 : 0,
    end: async () => {
      child.kill('SIGINT')
      await ended
      guard.close()
      const report = JSON.parse(readFileSync(join(folder, 'load.json'), 'utf8')) as LoadReport
      const { run } = report.steps
      console.log(
        `          ${report.completed.ok} times ${scenario}, ${run?.p50} ms, p99 ${run?.p99} ms; failed: ${JSON.stringify(report.errors.unexpected)}`,
      )
      assert.equal(report.unexpectedErrors, 0)
    },
  }
}

const verify = async (node: Node, program: string): Promise<void> => {
  const { kubectl } = node
  const inShop = (...args: string[]) => tell(kubectl, [...args, `--namespace=${namespace}`])
  const deployed = await step('the shop: all pods are ready', () => startShop(node, program, folder))
  const secrets = JSON.parse(readFileSync(deployed.values, 'utf8'))
  const shop = shopOf({ ...deployed, secrets })
  const clientLog = openClientLog(join(folder, 'clients.jsonl'))
  const loadLog = join(folder, 'load.jsonl')
  writeFileSync(loadLog, '')
  const audited = () =>
    deployed.attached(profile, (stack) => assertAudited({ stack, clientLog: [clientLog.file, loadLog], log }))
  await step('sample data and a confirmed checkout: npm run seed, npm run demo', () =>
    deployed.attached(profile, async () => {
      for (const file of ['tools/seed/main.ts', 'tests/demo.ts'])
        assert.equal(await run('node', [file], { env: { STACK_PROFILE: profile } }), 0, file)
    }),
  )
  const goods = await shop.newLines([1000])
  await step('a checkout', () => checkOut(shop, goods, clientLog))
  await step('audit', audited)
  console.log(await memory(kubectl))
  await step('what is on no list, and what no policy allows, is refused', () => assertRefusals(kubectl))

  await step(`a pod of each app dies under load, then the node`, async () => {
    const buying: Promise<string>[] = []
    const buy = () => buying.push(checkOut(shop, goods, clientLog))
    for (const app of apps) {
      for (let some = 0; some < 5; some++) buy()
      const selector = `--selector=app.kubernetes.io/name=${app}`
      const [pod = ''] = inShop('get', 'pods', selector, '--output=name').split('\n')
      inShop('delete', pod, '--grace-period=1', '--wait=false')
      await pause(2000)
    }
    for (let some = 0; some < 5; some++) buy()
    await node.reboot()
    assert.equal(new Set(await Promise.all(buying)).size, buying.length)
    await deployed.ready()
  })
  await step('audit', audited)

  const replicas = () => Number(inShop('get', 'deployment', 'gateway', '-o=jsonpath={.spec.replicas}'))
  await step(`every app rolled, at ${rate} checkouts a second: no failed request`, () =>
    deployed.attached(profile, async () => {
      const load = startLoad('checkout', loadLog, { rate })
      try {
        await eventually('the load sells', () => load.sold() > rate * 5, 180_000)
        for (let first = 0; first < apps.length; first += atOnce) {
          const some = apps.slice(first, first + atOnce).map((app) => `deployment/${app}`)
          inShop('rollout', 'restart', ...some)
          for (const each of some) await rolledOut(kubectl, each, namespace)
        }
        console.log(await memory(kubectl))
      } finally {
        await load.end()
      }
    }),
  )
  await step('the autoscaler adds gateways under load, and removes them after', () =>
    deployed.attached(profile, async () => {
      const load = startLoad('browse', loadLog, { concurrency: 8 })
      try {
        await eventually('the autoscaler adds gateways', () => replicas() > 2, 120_000)
      } finally {
        await load.end()
      }
      await eventually('there are two gateways', () => replicas() === 2, 180_000)
    }),
  )
  await step('audit', audited)
}

await inCluster({
  ...{ module: import.meta.filename, inside, keep, verify },
  tellOf: ['events', '--sort-by=.lastTimestamp'],
})
