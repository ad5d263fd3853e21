import type { Readable } from 'node:stream'
import { domainToASCII } from 'node:url'
import PostalMime from 'postal-mime'
import { SMTPServer } from 'smtp-server'

export interface Mail {
  readonly id: number
  readonly from: string
  readonly to: readonly string[]
  readonly subject: string
  readonly html: string
  readonly receivedAt: string
}

const mostBytes = 1_048_576

const read = async (stream: Readable): Promise<Buffer> => {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** As it was sent: `smtp-server` turns `xn--…` into what it stands for. */
const inAscii = (address: string): string =>
  address.replace(/[^@]+$/, (domain) => (/^[\x20-\x7e]*$/.test(domain) ? domain : domainToASCII(domain)))

/** An SMTP server that delivers nowhere: the newest `capacity` mails are kept in memory. */
export const createInbox = (capacity = 1000) => {
  const mails: Mail[] = []
  let count = 0

  const keep = async (raw: Buffer, from: string, to: string[]): Promise<void> => {
    const { subject = '', html = '' } = await PostalMime.parse(raw)
    count += 1
    mails.unshift({ id: count, from, to, subject, html, receivedAt: new Date().toISOString() })
    mails.length = Math.min(mails.length, capacity)
  }

  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    size: mostBytes,
    onData: (stream, session, done) => {
      const { mailFrom, rcptTo } = session.envelope
      read(stream)
        .then((raw) =>
          keep(
            raw,
            mailFrom ? mailFrom.address : '',
            rcptTo.map(({ address }) => inAscii(address)),
          ),
        )
        .then(
          () => done(),
          (error) => done(error),
        )
    },
  })

  return {
    server,
    /** Newest first. */
    list: (to?: string): readonly Mail[] => (to ? mails.filter((mail) => mail.to.includes(to)) : mails),
    find: (id: number): Mail | undefined => mails.find((mail) => mail.id === id),
  }
}

export type Inbox = ReturnType<typeof createInbox>
