import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { eventually } from '@caravan/service-kit/testing/eventually'
import jwt from 'jsonwebtoken'
import { eraseStack } from '../../tools/launcher/erase-stack.ts'
import { run } from '../../tools/launcher/run.ts'
import { type Stack, startStack } from '../../tools/launcher/stack.ts'
import { type Shop, shopOf } from '../support/shop.ts'
import { openMint } from '../support/tokens.ts'

const lifeSeconds = 20
let stack: Stack
let shop: Shop

before(async () => {
  await eraseStack('rotation')
  stack = await startStack({
    ...{ profile: 'rotation', ports: 'free' },
    env: { identity: { ACCESS_TOKEN_SECONDS: String(lifeSeconds) } },
  })
  shop = shopOf(stack)
})
after(() => stack?.stop())

const rotate = async () => {
  const args = ['tools/rotate-keys.ts', '--lead-seconds', '0', '--life-seconds', String(lifeSeconds)]
  assert.equal(await run('node', args, { env: { STACK_PROFILE: 'rotation' } }), 0)
}
const kidOf = (token: string) => String(jwt.decode(token, { complete: true })?.header.kid)
const published = async (): Promise<string[]> => {
  const { body } = await shop.door('GET', '/.well-known/jwks.json')
  return (body?.keys ?? []).map(({ kid }: { kid: string }) => kid)
}
/** A sidecar knows the published keys for ten minutes; here nobody waits so long. */
const readKeysAnew = async () => {
  const sidecar = stack.process('gateway.sidecar')
  await sidecar.stop()
  sidecar.start()
  await sidecar.ready()
}
const statusWith = async (token: string) => (await shop.door('GET', '/v1/me', { token })).status

test('after a rotation both keys verify, the new one signs, and the old one goes when its last token is over', async () => {
  const { id, email, password, token: old } = await shop.newShopper()
  // By the same key, for longer than all of this takes.
  const mint = openMint(
    String(stack.secrets['identity-signing-key']),
    String(stack.sidecarEnvironment.TOKEN_ISSUER),
  )
  const lasting = mint.sign(id)
  const signIn = () => eventually('signed in', () => shop.signIn(email, password))
  await rotate()
  await eventually('both keys are published', async () => (await published()).length === 2)
  await readKeysAnew()
  await eventually('the old key still verifies', async () => (await statusWith(lasting)) === 200)
  const fresh = await eventually('the new key signs', async () => {
    const token = await signIn()
    return kidOf(token) !== kidOf(old) && token
  })
  assert.equal(kidOf(lasting), kidOf(old))
  assert.notEqual(kidOf(fresh), kidOf(old))
  await eventually('a token of the new key is good', async () => (await statusWith(await signIn())) === 200)
  const { exp = 0 } = jwt.decode(old) as jwt.JwtPayload
  await eventually('the old token is over', async () => (await statusWith(old)) === 401)

  await eventually(
    'the new key has signed for longer than a token lives',
    () => Date.now() / 1000 > exp + lifeSeconds,
  )
  await rotate()
  await eventually('the oldest key is gone', async () => {
    const keys = await published()
    return keys.length === 2 && !keys.includes(kidOf(old))
  })
})
