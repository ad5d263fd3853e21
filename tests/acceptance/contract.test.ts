import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { operations } from '@caravan/contracts/all'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { stack } from '../support/stack.ts'

const apps = [...new Set(operations.map(({ app }) => app))]

const contract = (app: string): Promise<{ code: number; output: string }> =>
  new Promise((resolve) => {
    const args = ['tools/caravan.mjs', 'contract', app]
    const env = { ...process.env, STACK_PROFILE: stack.profile }
    execFile('node', args, { env, timeout: 600_000, maxBuffer: 1e8 }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code ?? 1) : 0, output: stdout + stderr }),
    )
  })

describe('every service keeps its contract', () => {
  for (const app of apps) {
    test(app, async () => {
      const { code, output } = await contract(app)
      assert.equal(code, 0, output)
    })
  }
})

test('a name that is no app’s is refused', async () => {
  const { code, output } = await contract('warehouse')
  assert.equal(code, 2, output)
  for (const app of apps) assert.match(output, new RegExp(`\\b${app}\\b`))
})

describe('inventory in Python, behind the same sidecar', () => {
  const app = stack.process('inventory')
  const sidecar = stack.process('inventory.sidecar')

  const standIn = (env: Record<string, string>): ChildProcess =>
    spawn('python3', [fileURLToPath(new URL('../contract/stand-in/inventory.py', import.meta.url))], {
      env: {
        ...{ PATH: String(process.env.PATH), PYTHONDONTWRITEBYTECODE: '1', ...env },
        TOKEN_ISSUER: String(stack.sidecarEnvironment.TOKEN_ISSUER),
        APP_PORT: String(app.ports.app),
        DAPR_HTTP_PORT: String(sidecar.ports.http),
        APP_API_TOKEN: String(stack.tokens.inventory?.app),
        DAPR_API_TOKEN: String(stack.tokens.inventory?.dapr),
      },
      stdio: ['ignore', 'ignore', 'inherit'],
    })

  const listening = () =>
    eventually('it listens', async () => (await fetch(`http://127.0.0.1:${app.ports.app}/healthz`)).ok)

  /** With the stand-in on the app's port. The sidecar is started again, because it reads what an app subscribes to once. */
  const replaced = async (env: Record<string, string>, work: () => Promise<void>) => {
    await app.stop()
    await sidecar.stop()
    const child = standIn(env)
    try {
      await listening()
      await sidecar.start()
      await sidecar.ready()
      await work()
    } finally {
      if (child.exitCode === null && child.kill('SIGKILL')) await once(child, 'exit')
      await sidecar.stop()
      await app.start()
      await sidecar.start()
      await Promise.all([app.ready(), sidecar.ready()])
    }
  }

  test('keeps the contract', async () => {
    await replaced({}, async () => {
      const { code, output } = await contract('inventory')
      assert.equal(code, 0, output)
    })
  })

  test('with a fault in it does not', async () => {
    await replaced({ FAULT: '1' }, async () => {
      const { code, output } = await contract('inventory')
      assert.equal(code, 1, output)
      assert.match(output, /✖ a reservation of the same order, repeated, holds its stock once/)
    })
  })

  test('leaves the shop as it was: inventory itself keeps its contract again', async () => {
    const { code, output } = await contract('inventory')
    assert.equal(code, 0, output)
  })
})
