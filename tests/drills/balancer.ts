import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

const probeMs = 100

/**
 * A load balancer as one stands before several gateways: in turns to those whose /readyz is good, and on to the next when
 * a connection is refused. What it cannot pass on it answers with 502.
 */
export const startBalancer = async (urls: readonly string[]) => {
  const agent = new Agent({ keepAlive: true })
  const healthy = new Set(urls)
  let turn = 0
  let closed = false

  const watch = async (url: string) => {
    while (!closed) {
      const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(1000) }).catch(
        () => undefined,
      )
      if (answer?.ok) healthy.add(url)
      else healthy.delete(url)
      await pause(probeMs)
    }
  }

  const pass = (
    body: Buffer,
    from: IncomingMessage,
    to: ServerResponse,
    candidates: readonly string[],
  ): void => {
    const [url, ...others] = candidates
    if (!url) {
      to.writeHead(502).end()
      return
    }
    const { method, headers, url: path } = from
    const onward = request(url + path, { method, headers, agent }, (answer) => {
      to.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(to)
      answer.on('error', () => to.destroy())
    })
    onward.on('error', (error: NodeJS.ErrnoException) => {
      const neverArrived =
        error.code === 'ECONNREFUSED' || (onward.reusedSocket && error.code === 'ECONNRESET')
      if (neverArrived && !to.headersSent) pass(body, from, to, others)
      else if (to.headersSent) to.destroy()
      else to.writeHead(502).end()
    })
    onward.end(body)
  }

  const server = createServer(async (from, to) => {
    const chunks: Buffer[] = []
    for await (const chunk of from) chunks.push(chunk)
    turn += 1
    const up = urls.filter((url) => healthy.has(url))
    pass(Buffer.concat(chunks), from, to, [...up.slice(turn % up.length), ...up.slice(0, turn % up.length)])
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  for (const url of urls) watch(url)
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: (): void => {
      closed = true
      server.closeAllConnections()
      server.close()
      agent.destroy()
    },
  }
}
