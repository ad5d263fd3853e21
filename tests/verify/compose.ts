import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { foreignImages, provideImages } from '../../tools/containers/base-images.ts'
import { buildImages } from '../../tools/containers/build-images.ts'
import { capture, provideCompose } from '../../tools/containers/docker.ts'
import { provideEngine } from '../../tools/containers/engine.ts'
import { attachStack } from '../../tools/launcher/attached-stack.ts'
import { run } from '../../tools/launcher/run.ts'
import { readStack, repository } from '../../tools/launcher/stack-file.ts'
import { openClientLog } from '../support/client-log.ts'
import { shopOf } from '../support/shop.ts'
import { assertAudited } from './assert-audited.ts'
import { checkOut } from './persistent-checkout.ts'
import { step } from './step.ts'

// npm run verify:compose: docker-compose.yml on a real engine, from no images to a confirmed checkout, through kills of every container
// and a restart of the engine, to an empty engine. Exit 0 only when all of it held. --keep leaves images and a private engine for the
// next time.

const { keep } = parseArgs({ options: { keep: { type: 'boolean', default: false } } }).values

const checkouts = 50
const log = (line: string) => console.error(line)
const root = join(repository, '.caravan/verify')
/** As tools/launcher/stack-file.ts finds it below `.caravan`. */
const profile = 'verify/.caravan/compose'
const environment = {
  // An address of this machine that no shop on it has.
  CARAVAN_BIND: '127.0.0.77',
  CARAVAN_ORIGIN: 'https://127.0.0.77:8443',
  CARAVAN_SECRETS: join(root, '.caravan/compose'),
  CARAVAN_TAG: 'verify',
}
Object.assign(process.env, environment)

const engine = await step('a Docker engine', () => provideEngine(log))
const { docker } = engine
const compose = await step('Docker Compose', () => provideCompose(log))
const command = (...args: string[]) => [...compose, '--env-file', join(root, '.env'), ...args]
const lines = (text: string) => text.split('\n').filter(Boolean)

/** Whatever came before: nothing is to go on running. */
const finish = async (): Promise<void> => {
  const ours = ['--filter', 'reference=caravan-*:verify']
  try {
    if (existsSync(join(root, '.env'))) capture(command('down', '--volumes', '--remove-orphans'))
    const images = lines(capture([docker, 'image', 'ls', '--quiet', ...ours]))
    if (!keep && images.length > 0) capture([docker, 'image', 'rm', '--force', ...new Set(images)])
  } catch (error) {
    log((error as Error).message)
  }
  await engine.release(keep)
  rmSync(root, { recursive: true, force: true })
}

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void finish().finally(() => process.exit(1)))

const verify = async (): Promise<void> => {
  await step('images that others make', () => provideImages(docker, foreignImages(), log))
  const ca = process.env.NODE_EXTRA_CA_CERTS
  await step('images of the apps', () => buildImages(docker, { tag: environment.CARAVAN_TAG, ca }, log))

  rmSync(root, { recursive: true, force: true })
  mkdirSync(root, { recursive: true })
  execFileSync(process.execPath, [join(repository, 'deploy/compose/generate-secrets.mjs'), root])
  const stack = attachStack(profile)
  const shop = shopOf(stack)
  const project = String(readStack(profile)?.project)
  const ofProject = ['--filter', `label=com.docker.compose.project=${project}`]
  const services = lines(capture(command('config', '--services')))
  const lasting = services.filter((service) => !['databases', 'seed'].includes(service)).sort()

  const up = (more: Record<string, string> = {}) =>
    capture(command('up', '--detach', '--pull', 'never', '--no-build'), more)
  const healthy = async () => {
    for (const service of lasting) await stack.process(service).ready()
  }
  /** What is not as it should be. */
  const faulty = () =>
    lines(capture([docker, 'ps', '--all', ...ofProject, '--format', '{{.Names}} {{.Status}}'])).filter(
      (line) => !/ Up (?!.*\((?:unhealthy|health: starting)\))| Exited \(0\)/.test(line),
    )
  const demo = async () => {
    const code = await run('node', ['tests/demo.ts'], { env: { STACK_PROFILE: profile } })
    assert.equal(code, 0, 'the demo failed')
  }
  const clientLog = openClientLog(join(root, 'clients.jsonl'))
  const audited = () => assertAudited({ stack, clientLog: clientLog.file, log })

  try {
    await step(`docker compose up: ${lasting.length} containers`, async () => {
      up()
      await healthy()
    })
    await step('sample data', () => {
      assert.equal(capture([docker, 'wait', `${project}-seed-1`]), '0')
    })
    await step('a confirmed checkout over https, its certificate verified', demo)

    await step('no app reaches the API of another’s sidecar', () => {
      const addresses = capture([
        ...[docker, 'container', 'inspect', '--format'],
        ...['{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}', `${project}-orders-dapr-1`],
      ]).split(' ')
      const reaches = (app: string, host: string, port: number) => {
        const connect = `exec 3<>/dev/tcp/${host}/${port}`
        try {
          capture([docker, 'exec', `${project}-${app}-1`, 'timeout', '1', 'bash', '-c', connect])
          return true
        } catch {
          return false
        }
      }
      for (const port of [3505, 4505]) {
        assert.ok(reaches('orders', 'sidecar', port), `orders does not reach its own sidecar at ${port}`)
        for (const app of ['gateway', 'identity', 'catalog'])
          for (const host of addresses)
            assert.ok(!reaches(app, host, port), `${app} reaches the sidecar of orders at ${host}:${port}`)
      }
    })

    const goods = await shop.newLines([checkouts + 10])
    await step(`kill -9 of each of ${lasting.length} containers, in ${checkouts} checkouts`, async () => {
      const buying: Promise<string>[] = []
      for (const [index, service] of lasting.entries()) {
        while (buying.length < Math.ceil((checkouts * (index + 1)) / lasting.length))
          buying.push(checkOut(shop, goods, clientLog))
        await pause(500)
        const container = stack.process(service)
        const before = container.pid
        await container.kill('SIGKILL')
        await eventually(`${service} starts again`, () => container.pid && container.pid !== before, 120_000)
        await container.ready()
      }
      assert.equal(new Set(await Promise.all(buying)).size, checkouts)
      await healthy()
    })
    await step('audit', audited)

    const { restart } = engine
    if (restart)
      await step('a restart of the engine', async () => {
        await restart()
        await healthy()
        await eventually('nothing is unhealthy', () => faulty().length === 0, 120_000)
      })
    else console.log('     left out: a restart of the engine, which is not ours')
    await step('a checkout by a client that waits for it', () => checkOut(shop, goods, clientLog))
    await step('a checkout by one that does not', demo)
    await step('audit', audited)
    assert.deepEqual(faulty(), [])

    await step('down and up: the data is there', async () => {
      capture(command('down'))
      up()
      await healthy()
      await checkOut(shop, goods, clientLog)
      await audited()
    })
    await step('a root password that is not the data’s ends up, with a word', () => {
      capture(command('down'))
      assert.throws(() => up({ MYSQL_ROOT_PASSWORD: 'another-password' }), /databases/)
      assert.match(capture(command('logs', 'databases')), /MYSQL_ROOT_PASSWORD is not that of the data/)
    })
  } catch (error) {
    console.error(capture(command('ps', '--all')))
    const logs = join(repository, '.caravan/verify-logs')
    mkdirSync(logs, { recursive: true })
    for (const service of services) writeFileSync(join(logs, `${service}.log`), stack.logs(service))
    console.error(`the containers’ logs are in ${logs}`)
    throw error
  } finally {
    await step('down', () => {
      capture(command('down', '--volumes', '--remove-orphans'))
      for (const what of [
        ['ps', '--all'],
        ['network', 'ls'],
        ['volume', 'ls'],
      ])
        assert.equal(capture([docker, ...what, '--quiet', ...ofProject]), '', `down leaves ${what[0]}`)
    })
  }
}

try {
  await step('in all', verify)
} catch (error) {
  console.error(error)
  process.exitCode = 1
} finally {
  await finish()
}
