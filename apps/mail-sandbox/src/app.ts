import Router from '@koa/router'
import Koa from 'koa'
import type { Inbox, Mail } from './inbox.ts'

const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const escaped = (text: string): string => text.replace(/[&<>"]/g, (each) => escapes[each] ?? each)

const page = (mails: readonly Mail[]): string => `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Inbox</title>
<style>body{font:1rem/1.5 system-ui;margin:2rem auto;max-width:60rem;padding:0 1rem;color-scheme:light dark}
table{width:100%;border-collapse:collapse}td,th{text-align:start;padding:.3rem .6rem;border-bottom:1px solid #8884}</style>
<h1>Inbox</h1>
${mails.length === 0 ? '<p>No mail yet.</p>' : ''}
<table><thead><tr><th>Received<th>To<th>Subject</thead><tbody>
${mails
  .map(
    ({ id, to, subject, receivedAt }) =>
      `<tr><td><time>${receivedAt}</time><td>${escaped(to.join(', '))}<td><a href="/mails/${id}">${escaped(subject || '(no subject)')}</a>`,
  )
  .join('\n')}
</tbody></table></html>`

/** What mails show may not run or load anything. */
const policy =
  "default-src 'none'; style-src 'unsafe-inline'; sandbox allow-popups allow-top-navigation-by-user-activation"

/** The inbox as a page for people and as JSON for tests. */
export const createApp = (inbox: Inbox): Koa => {
  const router = new Router()
  router.get('/healthz', (ctx) => {
    ctx.body = { status: 'ok' }
  })
  router.get('/v1/mails', (ctx) => {
    ctx.body = { data: inbox.list(ctx.query.to ? String(ctx.query.to) : undefined) }
  })
  router.get('/mails/:id', (ctx) => {
    const mail = inbox.find(Number(ctx.params.id))
    if (mail)
      ctx.body = `<!doctype html><meta charset="utf-8"><title>${escaped(mail.subject)}</title>${mail.html}`
  })
  router.get('/', (ctx) => {
    ctx.body = page(inbox.list())
  })

  const app = new Koa()
  app.use((ctx, next) => {
    ctx.set({
      'Content-Security-Policy': policy,
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'no-referrer',
    })
    return next()
  })
  app.use(router.routes()).use(router.allowedMethods())
  return app
}
