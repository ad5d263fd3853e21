import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLog } from '@caravan/service-kit/log'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { createMailer, mailOf } from './mailer.ts'

const mail = { purpose: 'confirm', token: 'id.token', name: 'Mei', locale: 'en' } as const

test('the link leads to the shop, with the token where no server sees it', () => {
  const { subject, body } = mailOf(mail, 'https://shop.example')
  assert.equal(subject, 'Confirm your address')
  assert.match(body, /href="https:\/\/shop\.example\/confirm-address#token=id\.token"/)
  assert.match(mailOf({ ...mail, purpose: 'reset', locale: 'zh' }, 'https://shop.example').subject, /密码/)
})

test('a name is text, whatever is in it', () => {
  const { body } = mailOf({ ...mail, name: `<img src=x onerror="alert('1')">&` }, 'https://shop.example')
  assert.ok(body.startsWith('<p>&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;, '), body)
})

test('a mail that cannot be sent stays due, and keeps no other waiting', async () => {
  const mailed: string[] = []
  const due = ['bad', 'good'].map((id) => ({ ...mail, id, email: `${id}@example.com` }))
  const { start } = createMailer(
    {
      lease: async (limit) => due.splice(0, limit),
      mailed: async (id) => void mailed.push(id),
    },
    {
      sidecar: {
        bind: async (_, __, ___, { emailTo }) => {
          if (emailTo === 'bad@example.com') throw new Error('550 no such mailbox')
        },
      },
      log: createLog('test', 'silent'),
      shopUrl: 'https://shop.example',
    },
  )
  const stop = start()
  await eventually('one was sent', () => mailed.length > 0)
  await stop()
  assert.deepEqual(mailed, ['good'])
})

test('mails go one after another, each leased when its turn comes, with a recipient, a subject and a body of its own', async () => {
  const due = Array.from({ length: 50 }, (_, n) => ({
    ...mail,
    id: `${n}`,
    token: `token-${n}`,
    email: `${n}@example.com`,
  }))
  const sent: { body: string; emailTo: string; subject: string }[] = []
  const seen = { leased: 0, underWay: 0 }
  const { start } = createMailer(
    {
      lease: async (limit) => {
        assert.deepEqual([limit, seen.underWay, seen.leased], [1, 0, sent.length])
        const taken = due.splice(0, limit)
        seen.leased += taken.length
        return taken
      },
      mailed: async () => undefined,
    },
    {
      sidecar: {
        bind: async (_, __, body, { emailTo = '', subject = '' }) => {
          seen.underWay += 1
          await new Promise((resolve) => setTimeout(resolve, 1))
          sent.push({ body: String(body), emailTo, subject })
          seen.underWay -= 1
        },
      },
      log: createLog('test', 'silent'),
      shopUrl: 'https://shop.example',
    },
  )
  const stop = start()
  await eventually('all were sent', () => sent.length === 50)
  await stop()
  for (const [n, { body, emailTo, subject }] of sent.entries()) {
    assert.deepEqual([emailTo, subject], [`${n}@example.com`, 'Confirm your address'])
    assert.ok(body.includes(`#token=token-${n}"`))
  }
})
