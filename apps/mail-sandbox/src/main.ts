import { once } from 'node:events'
import { createServer } from 'node:http'
import { pino } from 'pino'
import { z } from 'zod'
import { createApp } from './app.ts'
import { createInbox } from './inbox.ts'

const port = z.coerce.number().int().min(0).max(65535)
const environment = z.object({ PORT: port, SMTP_PORT: port, HOST: z.string().default('127.0.0.1') })

const { PORT, SMTP_PORT, HOST } = environment.parse(process.env)
const log = pino({ name: 'mail-sandbox' })
const inbox = createInbox()
inbox.server.on('error', (err) => log.info({ err }, 'connection lost'))
inbox.server.listen(SMTP_PORT, HOST)
const server = createServer(createApp(inbox).callback())
server.listen(PORT, HOST)
await Promise.all([once(server, 'listening'), once(inbox.server.server, 'listening')])
log.info({ port: PORT, smtp_port: SMTP_PORT }, 'listening')

process.once('SIGTERM', () => {
  inbox.server.close()
  server.close()
  server.closeAllConnections()
})
