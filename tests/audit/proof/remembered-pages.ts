import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

interface Page {
  readonly status: number
  readonly text: string
}

/**
 * Stands before a gateway and gives each page for ever as it was when it was first asked for: a gateway whose memory no
 * time outdates, so that what it shows and what is in the books differ for as long as a test wants.
 */
export const rememberPages = async (gateway: string) => {
  const pages = new Map<string, Promise<Page>>()
  const load = async (path: string): Promise<Page> => {
    const answer = await fetch(gateway + path)
    return { status: answer.status, text: await answer.text() }
  }
  const server = createServer(async (request, response) => {
    const path = String(request.url)
    const page = pages.get(path) ?? load(path)
    pages.set(path, page)
    const { status, text } = await page
    response.writeHead(status, { 'content-type': 'application/json' }).end(text)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
