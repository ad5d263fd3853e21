import { eventually } from '@caravan/service-kit/testing/eventually'
import type { Door } from './door.ts'

interface Mail {
  readonly subject: string
  readonly html: string
}

/** Waits for a mail to an address, and gives the token of the link in the newest that has this subject. */
export const linkIn = (inbox: Door, to: string, subject: RegExp, other?: string): Promise<string> =>
  eventually(`a mail to ${to} about ${subject}`, async () => {
    const { body } = await inbox<{ data: Mail[] }>('GET', `/v1/mails?to=${encodeURIComponent(to)}`)
    const mail = body.data.find((each) => subject.test(each.subject))
    const token = /#token=([\w.-]+)"/.exec(mail?.html ?? '')?.[1]
    return token !== other && token
  })
