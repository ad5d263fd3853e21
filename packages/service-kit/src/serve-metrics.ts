import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { registry } from './metrics.ts'

/** Answers whatever is asked with the metrics, as long as the process runs: the port is not for the world. */
export const serveMetrics = async (port: number, host: string): Promise<Server> => {
  const server = createServer(async (_, response) => {
    const text = await registry.metrics()
    response.setHeader('Content-Type', registry.contentType).end(text)
  })
  await once(server.listen(port, host), 'listening')
  return server.unref()
}
