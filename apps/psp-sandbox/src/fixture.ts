import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import type { SomeKnobs } from './knobs.ts'

export const secretKey = 'sk_test_of_the_sandbox'
export const webhookSecret = 'whsec_test_of_the_sandbox'

// biome-ignore lint/suspicious/noExplicitAny: a test reads answers as they come
type Json = any
type Reply = { status: number; body: Json; headers: Headers }

const folder = mkdtempSync(join(tmpdir(), 'psp-sandbox-'))
process.on('exit', () => rmSync(folder, { recursive: true }))

/** A fresh database file in a folder of its own, gone when the tests end. */
export const newDatabase = () => join(mkdtempSync(join(folder, 'books-')), 'psp.db')

export const environment = (database: string, webhookUrl: string) => ({
  PORT: '0',
  PSP_SECRET_KEY: secretKey,
  PSP_WEBHOOK_SECRET: webhookSecret,
  PSP_WEBHOOK_URL: webhookUrl,
  PSP_DATABASE: database,
})

/** Spawns `main.ts` with exactly this environment and collects what it prints. */
export function spawnSandbox(env: Record<string, string>) {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts')], { env, stdio: 'pipe' })
  process.on('exit', () => child.kill('SIGKILL')) // also when a test fails before it ends its process
  const printed: string[] = []
  child.stdout.on('data', (chunk) => printed.push(String(chunk)))
  child.stderr.on('data', (chunk) => printed.push(String(chunk)))
  return { child, output: () => printed.join(''), exited: once(child, 'exit') }
}

/** The real process on a free port, ready for requests. */
export async function startSandbox({ database = newDatabase(), webhookUrl = 'http://127.0.0.1:9/' } = {}) {
  const { child, output, exited } = spawnSandbox(environment(database, webhookUrl))
  let url = ''
  for await (const line of createInterface({ input: child.stdout })) {
    const { port } = JSON.parse(line)
    if (port) {
      url = `http://127.0.0.1:${port}`
      break
    }
  }
  child.stdout.resume()

  async function call(
    method: string,
    path: string,
    body?: object,
    headers: Record<string, string> = {},
  ): Promise<Reply> {
    const response = await fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${secretKey}`, 'content-type': 'application/json', ...headers },
      ...(body && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, body: text && JSON.parse(text), headers: response.headers }
  }

  async function tokenise(number = '4242424242424242', sandbox: SomeKnobs = {}): Promise<string> {
    const card = { number, expMonth: 12, expYear: 2090, cvc: '123' }
    return (await call('POST', '/v1/payment-methods', { card, sandbox })).body.id
  }

  const charge = (paymentMethod: string, key: string = crypto.randomUUID(), more: object = {}) =>
    call(
      'POST',
      '/v1/charges',
      { amount: 1999, currency: 'EUR', paymentMethod, reference: key, ...more },
      { 'idempotency-key': key },
    )

  const refund = (charge: string, amount: number, key: string = crypto.randomUUID()) =>
    call('POST', '/v1/refunds', { charge, amount, reference: 'return' }, { 'idempotency-key': key })

  async function end(signal: NodeJS.Signals) {
    child.kill(signal)
    return await exited
  }
  return { url, database, output, call, tokenise, charge, refund, end }
}

type Received = { event: Json; raw: string; signature: string; at: number; path: string }

/** A shop's webhook door. `respond` decides by reference and number of the try; 200 when it has no opinion. */
export async function startReceiver() {
  const received: Received[] = []
  const rules = new Map<string, (attempt: number) => number | Promise<number>>()
  const server = createServer(async (req, res) => {
    let raw = ''
    for await (const chunk of req) raw += chunk
    const event = raw ? JSON.parse(raw) : {}
    const reference = event.data?.charge.reference
    received.push({
      event,
      raw,
      signature: String(req.headers['psp-signature']),
      at: Date.now(),
      path: req.url ?? '',
    })
    const attempt = received.filter((one) => one.event.data?.charge.reference === reference).length
    const status = (await rules.get(reference)?.(attempt)) ?? 200
    res.writeHead(status, status === 302 ? { location: '/elsewhere' } : {}).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks`,
    all: received,
    of: (reference: string) => received.filter((one) => one.event.data?.charge.reference === reference),
    respond: (reference: string, rule: (attempt: number) => number | Promise<number>) =>
      rules.set(reference, rule),
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** Asks until the answer is truthy; fails after the deadline. */
export async function eventually<Result>(ask: () => Result | Promise<Result>, deadlineMs = 60_000) {
  const deadline = Date.now() + deadlineMs
  for (;;) {
    const result = await ask()
    if (result) return result
    if (Date.now() > deadline) throw new Error(`not within ${deadlineMs} ms: ${ask}`)
    await sleep(10)
  }
}
