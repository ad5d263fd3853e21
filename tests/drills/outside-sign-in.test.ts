import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { newId } from '@caravan/service-kit/ids'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { eraseStack } from '../../tools/launcher/erase-stack.ts'
import { openGuard } from '../../tools/launcher/guard.ts'
import { portPool } from '../../tools/launcher/ports.ts'
import { type Stack, startStack } from '../../tools/launcher/stack.ts'
import { type Shop, shopOf } from '../support/shop.ts'

const shopUrl = 'https://shop.example/'
const redirectUri = `${shopUrl}outside-sign-in`
const pool = portPool()
const guard = openGuard()
let issuer = ''
let provider: ChildProcess
let stack: Stack
let shop: Shop

before(async () => {
  const port = await pool.take()
  issuer = `http://127.0.0.1:${port}`
  await eraseStack('outside')
  stack = await startStack({
    ...{ profile: 'outside', ports: 'free' },
    env: { identity: { OIDC_ISSUER: issuer, SHOP_URL: shopUrl } },
  })
  shop = shopOf(stack)
  const [file = '', ...args] = guard.wrap([
    process.execPath,
    fileURLToPath(new URL('../support/openid-provider.mjs', import.meta.url)),
  ])
  provider = spawn(file, args, {
    env: {
      ...process.env,
      ...{ PORT: String(port), REDIRECT_URI: redirectUri },
      CLIENT_SECRET: String(stack.secrets['oidc-client-secret']),
    },
    stdio: 'ignore',
  })
  await eventually(
    'the provider answers',
    async () => (await fetch(`${issuer}/.well-known/openid-configuration`)).ok,
  )
})
after(async () => {
  provider?.kill('SIGTERM')
  if (provider) await once(provider, 'exit')
  await stack?.stop()
  guard.close()
  pool.close()
})

/** A browser at the provider: signs in under this name, consents, and gives the query that it is sent back with. */
const visit = async (url: string, login: string): Promise<string> => {
  const cookies = new Map<string, string>()
  const go = async (to: string, body?: URLSearchParams): Promise<Response> => {
    const response = await fetch(to, {
      method: body ? 'POST' : 'GET',
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      body: body ?? null,
      redirect: 'manual',
    })
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
      if (/expires=Thu, 01 Jan 1970/i.test(cookie)) cookies.delete(name)
      else cookies.set(name, value)
    }
    return response
  }
  let at = url
  let response = await go(at)
  for (let step = 0; step < 20; step += 1) {
    const location = response.headers.get('location')
    if (location) {
      at = new URL(location, at).href
      if (at.startsWith(redirectUri)) return new URL(at).search.slice(1)
      response = await go(at)
      continue
    }
    const page = await response.text()
    const action = /<form[^>]*action="([^"]+)"/.exec(page)?.[1]
    const prompt = /name="prompt" value="(\w+)"/.exec(page)?.[1]
    assert.ok(action && prompt, page)
    at = new URL(action, at).href
    response = await go(at, new URLSearchParams({ prompt, login, password: 'any' }))
  }
  throw new Error('the provider leads nowhere')
}

const begin = async () => {
  const started = await shop.door('POST', '/v1/outside-sign-ins')
  assert.equal(started.status, 201, started.text)
  return started.body as { authorizationUrl: string; binding: string }
}
const complete = (answer: string, binding: string, token?: string) =>
  shop.door('POST', '/v1/outside-sign-ins/completions', {
    body: { answer, binding },
    ...(token ? { token } : {}),
  })
const signIn = async (login: string, token?: string) => {
  const { authorizationUrl, binding } = await begin()
  return complete(await visit(authorizationUrl, login), binding, token)
}
const me = async (token: string) => (await shop.door('GET', '/v1/me', { token })).body

test('who signs in at the provider has an account with a confirmed address, and the same one the next time', async () => {
  const login = `mei-${newId()}`
  const first = await signIn(login)
  assert.equal(first.status, 201, first.text)
  const account = await me(first.body.accessToken)
  assert.deepEqual([account.email, account.name], [`${login}@example.com`, `The person ${login}`])
  assert.ok(account.confirmedAt)
  const second = await signIn(login)
  assert.equal((await me(second.body.accessToken)).id, account.id)
  const refreshed = await shop.door('POST', '/v1/sessions/refresh', {
    body: { refreshToken: second.body.refreshToken },
  })
  assert.equal(refreshed.status, 200, refreshed.text)
})

test('an answer is good once, and only where the sign-in began', async () => {
  const [mine, others] = [await begin(), await begin()]
  const answer = await visit(mine.authorizationUrl, `lin-${newId()}`)
  const foreign = await complete(answer, others.binding)
  assert.deepEqual([foreign.status, foreign.body.code], [401, 'identity/outside-sign-in-refused'])
  assert.equal((await complete(answer, mine.binding)).status, 201)
  assert.equal((await complete(answer, mine.binding)).status, 401)
})

test('a code that another sign-in got, or that nobody gave, is refused by the provider', async () => {
  const [one, two] = [await begin(), await begin()]
  const stolen = new URLSearchParams(await visit(one.authorizationUrl, `lin-${newId()}`)).get('code') ?? ''
  const own = new URLSearchParams(await visit(two.authorizationUrl, `eve-${newId()}`))
  own.set('code', stolen)
  const refused = await complete(own.toString(), two.binding)
  assert.deepEqual(
    [refused.status, refused.body.code],
    [401, 'identity/outside-sign-in-refused'],
    refused.text,
  )
})

test('an address that has an account is not taken over; its owner links the two', async () => {
  const login = `owner-${newId()}`
  const [email, password] = [`${login}@example.com`, newId()]
  await shop.door('POST', '/v1/accounts', { body: { email, password, name: 'Owner' } })
  const refused = await signIn(login)
  assert.deepEqual([refused.status, refused.body.code], [409, 'identity/email-taken'])
  const token = await shop.signIn(email, password)
  assert.equal((await signIn(login, token)).status, 201)
  const linked = await signIn(login)
  assert.equal((await me(linked.body.accessToken)).email, email)

  const stranger = await shop.newShopper()
  const twice = await signIn(login, stranger.token)
  assert.deepEqual([twice.status, twice.body.code], [409, 'identity/already-linked'])
})

test('an address that the provider has not confirmed makes no account', async () => {
  const refused = await signIn(`unconfirmed-${newId()}`)
  assert.deepEqual([refused.status, refused.body.code], [422, 'identity/address-not-confirmed'])
})
