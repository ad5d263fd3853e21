import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { after, before, test } from 'node:test'
import { createApp } from './app.ts'
import { createInbox, type Mail } from './inbox.ts'

const inbox = createInbox(2)
const server = createServer(createApp(inbox).callback())
let url = ''

before(async () => {
  inbox.server.listen(0, '127.0.0.1')
  server.listen(0, '127.0.0.1')
  await Promise.all([once(inbox.server.server, 'listening'), once(server, 'listening')])
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
after(() => {
  inbox.server.close()
  server.close()
})

/** One mail as an SMTP client hands it over (RFC 5321): each line after the answer to the one before. */
const send = async (to: string, subject: string, html: string): Promise<void> => {
  const socket = connect((inbox.server.server.address() as AddressInfo).port, '127.0.0.1')
  const message = `Subject: ${subject}\r\nContent-Type: text/html; charset=utf-8\r\n\r\n${html}\r\n.`
  const lines = ['EHLO test', 'MAIL FROM:<shop@example.com>', `RCPT TO:<${to}>`, 'DATA', message, 'QUIT']
  let answer = ''
  for await (const chunk of socket) {
    answer += chunk
    if (!/^\d{3} .*\r\n$/m.test(answer)) continue
    assert.match(answer, /^[23]/)
    answer = ''
    const line = lines.shift()
    if (line) socket.write(`${line}\r\n`)
  }
}

test('what is sent is in the inbox, newest first, by recipient, and never more than it holds', async () => {
  await send('a@example.com', 'first', '<p>1</p>')
  await send('b@example.com', '=?UTF-8?B?56ys5LqM?=', '<p>二</p>')
  await send('a@example.com', 'third', '<p>3</p>')
  const list = async (query = '') =>
    ((await (await fetch(`${url}/v1/mails${query}`)).json()) as { data: Mail[] }).data
  assert.deepEqual(
    (await list()).map(({ to, subject, html }) => [...to, subject, html.trim()]),
    [
      ['a@example.com', 'third', '<p>3</p>'],
      ['b@example.com', '第二', '<p>二</p>'],
    ],
  )
  const own = await list('?to=b@example.com')
  assert.deepEqual(
    own.map(({ from }) => from),
    ['shop@example.com'],
  )
})

test('the page lists the mails and runs nothing of theirs', async () => {
  await send('c@example.com', '<script>alert(1)</script>', '<script>alert(2)</script>')
  const page = await fetch(url)
  assert.doesNotMatch(await page.text(), /<script>/)
  const mail = await fetch(`${url}/mails/${inbox.list()[0]?.id}`)
  assert.match(String(mail.headers.get('content-security-policy')), /default-src 'none'.*sandbox/)
  assert.equal((await fetch(`${url}/mails/999999`)).status, 404)
})

test('a mail to a domain of another script is found under the address that it was sent to', async () => {
  const to = 'mei@xn--fsqu00a.xn--fiqs8s'
  await send(to, 'hello', '<p>1</p>')
  const { data } = (await (await fetch(`${url}/v1/mails?to=${to}`)).json()) as { data: Mail[] }
  assert.deepEqual(
    data.map((mail) => mail.to),
    [[to]],
  )
})
