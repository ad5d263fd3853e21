import type { Background } from '@caravan/service-kit/background'
import { every } from '@caravan/service-kit/background'
import type { Log } from '@caravan/service-kit/log'
import type { Sidecar } from '@caravan/service-kit/sidecar'
import type { DueMail, MailLinkStore } from './mail-link-store.ts'

const texts = {
  confirm: {
    en: {
      subject: 'Confirm your address',
      body: 'please confirm that this address is yours. The link is good for three days.',
      link: 'Confirm the address',
    },
    zh: {
      subject: '请确认您的邮箱',
      body: '请确认这是您的邮箱地址。链接三天内有效。',
      link: '确认邮箱',
    },
  },
  reset: {
    en: {
      subject: 'Set a new password',
      body: 'somebody asked for a new password for your account. If it was not you, do nothing. The link is good for an hour.',
      link: 'Set a new password',
    },
    zh: {
      subject: '重设密码',
      body: '有人请求重设您账户的密码。如果不是您本人,请忽略此邮件。链接一小时内有效。',
      link: '重设密码',
    },
  },
} as const
const pages = { confirm: 'confirm-address', reset: 'reset-password' } as const

const escapes: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
const html = (text: string): string => text.replace(/[&<>"']/g, (each) => escapes[each] ?? each)

/** The token is behind `#`: it reaches no server's log and no Referer header. */
export const mailOf = (
  { purpose, token, name, locale }: Omit<DueMail, 'id' | 'email'>,
  shopUrl: string,
): { subject: string; body: string } => {
  const { subject, body, link } = texts[purpose][locale]
  const url = new URL(`${pages[purpose]}#token=${token}`, shopUrl).href
  return {
    subject,
    body: `<p>${html(name)}${locale === 'zh' ? ',' : ', '}${body}</p><p><a href="${html(url)}">${link}</a></p>`,
  }
}

/** Milliseconds: a round ends soon enough for a drain. */
const roundMs = 3000

/**
 * Sends mails that are due by the output binding `mail`, each at least once, one after another. Each is leased when its turn
 * comes, so a slow server makes no other replica send it too. One that fails is due later and keeps no other waiting.
 */
export const createMailer = (
  links: Pick<MailLinkStore, 'lease' | 'mailed'>,
  { sidecar, log, shopUrl }: { sidecar: Pick<Sidecar, 'bind'>; log: Log; shopUrl: string },
): Background =>
  every(1000, 'mails', log, async () => {
    const send = async (mail: DueMail): Promise<void> => {
      const { subject, body } = mailOf(mail, shopUrl)
      await sidecar.bind('mail', 'create', body, { emailTo: mail.email, subject })
      await links.mailed(mail.id)
    }
    const end = performance.now() + roundMs
    const failures: unknown[] = []
    while (performance.now() < end) {
      const [mail] = await links.lease(1)
      if (!mail) break
      await send(mail).catch((error) => failures.push(error))
    }
    if (failures.length > 0) throw failures[0]
  })
