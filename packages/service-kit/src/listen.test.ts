import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Agent, get, type IncomingMessage } from 'node:http'
import { createInterface } from 'node:readline'
import { test } from 'node:test'

const program = `
import Koa from 'koa'
import { listen } from '@caravan/service-kit/run-service'
const app = new Koa()
app.use((ctx) => { ctx.body = 'here' })
const server = await listen(app, {
  ...{ port: 0, host: '127.0.0.1', log: { info() {}, error() {} }, lingerMs: 1500 },
  onDrain: () => console.log('draining'),
  close: async () => console.log('closed'),
})
console.log(server.address().port)
`

const ask = async (port: string, agent: Agent): Promise<IncomingMessage> => {
  const [response] = (await once(get({ port, host: '127.0.0.1', agent }), 'response')) as [IncomingMessage]
  response.resume()
  await once(response, 'end')
  return response
}

test('an ending server answers for a while, also who comes anew, and says that a connection ends', async (t) => {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const told = async (): Promise<string> => String((await lines.next()).value)
  const port = await told()
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => agent.destroy())
  assert.equal((await ask(port, agent)).headers.connection, 'keep-alive')

  child.kill('SIGTERM')
  assert.equal(await told(), 'draining')
  assert.equal((await ask(port, agent)).headers.connection, 'close')
  assert.equal((await ask(port, new Agent())).headers.connection, 'close')
  assert.equal(await told(), 'closed')
  const [code] = child.exitCode === null ? await once(child, 'exit') : [child.exitCode]
  assert.equal(code, 0)
  await assert.rejects(ask(port, new Agent()))
})
