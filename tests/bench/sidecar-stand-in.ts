import { Readable } from 'node:stream'
import type { openInProcessDapr, Request } from './in-process-dapr.ts'

/** What takes the place of undici and of the SDK in one-process.ts: as much of both as the apps use. */

let dapr: ReturnType<typeof openInProcessDapr>

export const useDapr = (given: typeof dapr): void => {
  dapr = given
}

/** An answer's body as undici gives it: a stream that can be read at once. */
class Body extends Readable {
  readonly #bytes: Buffer

  constructor(bytes: Buffer) {
    super({
      read() {
        this.push(bytes)
        this.push(null)
      },
    })
    this.#bytes = bytes
  }

  readonly #take = async (): Promise<Buffer> => {
    this.destroy()
    return this.#bytes
  }
  readonly arrayBuffer = this.#take
  readonly dump = this.#take
  readonly text = async () => (await this.#take()).toString('utf8')
  readonly json = async () => JSON.parse(await this.text())
}

export class Pool {
  readonly #port: number

  constructor(origin: string) {
    this.#port = Number(new URL(origin).port)
  }

  async request(request: Request) {
    const { statusCode, headers, bytes } = await dapr.ask(this.#port, request)
    return { statusCode, headers, body: new Body(bytes) }
  }

  async close() {}
}

export const CommunicationProtocolEnum = { GRPC: 'grpc' }
export const HttpMethod = { POST: 'POST' }
export const LogLevel = { Error: 'error' }

export class DaprClient {
  readonly #port: number

  /** `daprPort` is where gRPC would be: the launcher of one-process.ts gives both protocols one port. */
  constructor({ daprPort }: { daprPort: string }) {
    this.#port = Number(daprPort)
  }

  readonly #json = async (request: Request) =>
    JSON.parse((await dapr.ask(this.#port, request)).bytes.toString('utf8'))

  readonly secret = {
    get: (store: string, name: string) =>
      this.#json({ method: 'GET', path: `/v1.0/secrets/${store}/${name}`, headers: {} }),
  }

  readonly invoker = {
    // gRPC calls pass the pipeline of the HTTP port, which is all that an authorization is for here.
    invoke: (app: string, path: string, method: string, body: unknown) =>
      this.#json({
        ...{ method, path: `/v1.0/invoke/${app}/method/${path}`, body: JSON.stringify(body) },
        headers: { 'content-type': 'application/json', authorization: 'grpc' },
      }),
  }

  readonly configuration = { get: async () => ({ items: {} }) }

  async stop() {}
}
