import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLog } from '@caravan/service-kit/log'
import { registry } from '@caravan/service-kit/metrics'
import { createRateLimitSettings, key } from './rate-limit-settings.ts'
import { type RateLimits, rateLimits } from './rate-limits.ts'

const each = (quota: number): RateLimits => {
  const limit = { quota, windowSeconds: 10 }
  return { account: limit, address: limit, cached: limit, webhook: limit }
}
const accepted = async () =>
  (await registry.getSingleMetric('rate_limit_settings_accepted')?.get())?.values[0]?.value

/** Settings over a store that holds what the test puts there. */
const watched = () => {
  const store: { value?: string | undefined; down?: boolean } = {}
  const changes: number[] = []
  const read = async (asked: string) => {
    assert.equal(asked, key)
    if (store.down) throw new Error('no store')
    return store.value
  }
  const change = (limits: RateLimits) => void changes.push(limits.address.quota)
  const settings = createRateLimitSettings(each(1), read, { change }, createLog('gateway', 'silent'))
  return { store, changes, settings }
}

test('what the store holds counts as soon as it is seen, once, and without it the given limits do', async () => {
  const { store, changes, settings } = watched()
  await settings.look()
  store.value = JSON.stringify(each(7))
  await settings.look()
  await settings.look()
  store.value = undefined
  await settings.look()
  assert.deepEqual(changes, [7, 1])
})

test('what is not valid changes nothing and shows in the metrics until it is mended', async () => {
  const { store, changes, settings } = watched()
  store.value = JSON.stringify(each(7))
  await settings.look()
  for (const bad of [
    'x',
    '{}',
    JSON.stringify({ ...each(8), more: 1 }),
    JSON.stringify({ ...each(8), cached: { quota: 9, windowSeconds: 10, burst: 1 } }),
    JSON.stringify({ ...each(8), cached: { quota: 0, windowSeconds: 10 } }),
    JSON.stringify({ ...each(8), cached: { quota: 1.5, windowSeconds: 10 } }),
    JSON.stringify({ ...each(8), cached: { quota: 1, windowSeconds: 3601 } }),
    JSON.stringify({ ...each(8), cached: { quota: '9', windowSeconds: 10 } }),
  ]) {
    store.value = bad
    await settings.look()
    assert.equal(await accepted(), 0, bad)
  }
  assert.deepEqual(changes, [7])
  store.value = JSON.stringify(each(9))
  await settings.look()
  assert.deepEqual([changes.at(-1), await accepted()], [9, 1])
})

test('a store that is away changes nothing', async () => {
  const { store, changes, settings } = watched()
  store.value = JSON.stringify(each(7))
  await settings.look()
  store.down = true
  await assert.rejects(settings.look())
  store.down = false
  await settings.look()
  assert.deepEqual(changes, [7])
})

test('text that is not JSON is refused like any other fault', () => {
  assert.deepEqual(
    rateLimits.safeParse('{').error?.issues.map(({ message }) => message),
    ['must be JSON'],
  )
})
