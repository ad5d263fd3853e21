import { operation } from '@caravan/contracts/operation'
import { createSidecar } from '@caravan/service-kit/sidecar'
import { CommunicationProtocolEnum, DaprClient, HttpMethod, LogLevel } from '@dapr/dapr'
import { Pool } from 'undici'
import { z } from 'zod'
import { closedLoop, measure, type Watched } from './measure.ts'
import type { Leg, Part } from './rounds.ts'
import { startSidecarPair } from './sidecar-pair.ts'

const concurrency = 32
const body = {
  orderId: '0192f3a4-5b6c-7d8e-8f90-a1b2c3d4e5f6',
  items: [{ sku: 'GAIWAN-WHITE', quantity: 2 }],
}

const reserve = operation({
  ...{ app: 'callee', id: 'reserve', method: 'POST', path: '/v1/reservations', summary: '' },
  ...{ access: 'anyone', status: 200 },
  body: z.object({ orderId: z.uuid(), items: z.array(z.object({ sku: z.string(), quantity: z.int() })) }),
  response: z.object({ outcome: z.literal('reserved') }),
})

/** What a sidecar adds to a request, and what the client that talks to it does; on a machine where no stack runs. */
export const hops = async (folder: string): Promise<Part> => {
  const { app, callee, caller, token, stop } = await startSidecarPair(folder)
  const port = (process: typeof app, name: string) => Number(process.ports[name])
  const watched = (...processes: (typeof app)[]): Watched => [
    ['client', 0],
    ...processes.map(({ name, pid }): [string, number] => [name, Number(pid)]),
  ]
  const closers: (() => Promise<unknown>)[] = []

  const post = (name: string, to: number, path: string, through: (typeof app)[]): Leg => {
    const pool = new Pool(`http://127.0.0.1:${to}`, { connections: concurrency, pipelining: 1 })
    closers.push(() => pool.close())
    const request = async () => {
      const answer = await pool.request({
        ...{ method: 'POST', path, body: JSON.stringify(body) },
        headers: { 'content-type': 'application/json', 'dapr-api-token': token },
      })
      assertReserved(answer.statusCode === 200 && (await answer.body.json()))
    }
    return { name, run: (ms) => measure(watched(...through), () => closedLoop(concurrency, ms, request)) }
  }

  const client = (name: string, invoke: () => Promise<unknown>): Leg => ({
    name,
    run: (ms) =>
      measure(watched(app, callee, caller), () =>
        closedLoop(concurrency, ms, async () => assertReserved(await invoke())),
      ),
  })
  const kit = createSidecar({ port: port(caller, 'http'), token })
  const sdk = (protocol: CommunicationProtocolEnum, name: string) => {
    const dapr = new DaprClient({
      ...{ daprHost: '127.0.0.1', daprPort: String(port(caller, name)), communicationProtocol: protocol },
      ...{ daprApiToken: token, logger: { level: LogLevel.Error } },
    })
    closers.push(() => dapr.stop())
    return () => dapr.invoker.invoke('callee', 'operations/reserve', HttpMethod.POST, body)
  }
  closers.push(() => kit.close())

  const invoked = '/v1.0/invoke/callee/method/operations/reserve'
  return {
    letter: 'a',
    title: 'What a sidecar costs, and the client that talks to it',
    about:
      `A POST of ${JSON.stringify(body).length} bytes to the smallest Koa app, ${concurrency} at a time. The first three by undici alone; ` +
      'the clients go through both sidecars, as one service calls another. The kit checks the answer against its contract, the SDK does not.',
    base: 'Koa alone',
    legs: [
      post('Koa alone', port(app, 'app'), '/operations/reserve', [app]),
      post('through its sidecar', port(callee, 'http'), invoked, [app, callee]),
      post('through two sidecars', port(caller, 'http'), invoked, [app, callee, caller]),
      client('kit’s client, two sidecars', () => kit.call(reserve, { body })),
      client('SDK over HTTP, two sidecars', sdk(CommunicationProtocolEnum.HTTP, 'http')),
      client('SDK over gRPC, two sidecars', sdk(CommunicationProtocolEnum.GRPC, 'grpc')),
    ],
    legMs: 3000,
    warmUpMs: 700,
    close: async () => {
      for (const close of closers) await close()
      await stop()
    },
  }
}

const assertReserved = (answer: unknown): void => {
  const { outcome } = (answer || {}) as { outcome?: string }
  if (outcome !== 'reserved') throw new Error(`not what the app answers: ${JSON.stringify(answer)}`)
}
