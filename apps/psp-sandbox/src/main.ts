import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pino } from 'pino'
import { createApp } from './app.ts'
import { openBooks } from './books.ts'
import { readConfig } from './config.ts'
import { startDispatcher } from './dispatcher.ts'
import { type AddEvent, createOutbox } from './outbox.ts'
import { createPauses } from './pauses.ts'
import { createSandbox } from './sandbox.ts'

const GRACE_MS = 5_000

function start() {
  const { port, host, secretKey, webhookSecret, webhookUrl, database } = readConfig(process.env)
  const log = pino({ name: 'psp-sandbox' })
  const { pause, release, stop: stopWaiting } = createPauses()

  const books = openBooks(database)
  const outbox = createOutbox(books)
  const dispatcher = startDispatcher({ outbox, url: webhookUrl, secret: webhookSecret, log })
  const sandbox = createSandbox({ outbox, webhookUrl, webhookSecret, release })
  const addEvent: AddEvent = (...event) => {
    outbox.add(...event)
    setImmediate(dispatcher.wake) // after the commit: a transaction is one synchronous run
  }
  const app = createApp({ secretKey, books, sandbox, addEvent, pause, log })
  // Longer than the shop's sidecar keeps an idle connection.
  const server = createServer({ keepAliveTimeout: 120_000 }, app.callback())
  server.listen(port, host, () => log.info({ port: (server.address() as AddressInfo).port }, 'listening'))

  process.once('SIGTERM', () => {
    // Whoever waits still gets the true answer.
    stopWaiting()
    setInterval(() => server.closeIdleConnections(), 50).unref()
    setTimeout(() => server.closeAllConnections(), GRACE_MS).unref()
    server.close(async () => {
      await dispatcher.stop()
      books.close()
      log.info('stopped')
    })
  })
}

try {
  start()
} catch (error) {
  console.error(`psp-sandbox: ${error instanceof Error ? error.message : error}`)
  process.exitCode = 1
}
