import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { clientAddress, trustedProxies } from './client-address.ts'

const nobody = trustedProxies([])
const ours = trustedProxies(['10.0.0.0/8', '192.0.2.7', '2001:db8::/32'])

test('without trusted proxies the header counts for nothing', () => {
  fc.assert(
    fc.property(fc.ipV4(), fc.option(fc.string(), { nil: undefined }), (peer, header) => {
      assert.equal(clientAddress(nobody, peer, header), peer)
    }),
  )
})

test('behind a trusted proxy it is the last hop that is not one of ours', () => {
  assert.equal(clientAddress(ours, '10.0.0.1', '1.1.1.1, 203.0.113.9, 10.3.2.1'), '203.0.113.9')
  assert.equal(clientAddress(ours, '::ffff:192.0.2.7', ' 203.0.113.9 '), '203.0.113.9')
  assert.equal(clientAddress(ours, '2001:db8::1', '2001:470::5'), '2001:470::5')
})

test('a hop that is no address, or none at all, leaves the one that reported it', () => {
  assert.equal(clientAddress(ours, '10.0.0.1', undefined), '10.0.0.1')
  assert.equal(clientAddress(ours, '10.0.0.1', '203.0.113.9, unknown'), '10.0.0.1')
  assert.equal(clientAddress(ours, '10.0.0.1', '10.0.0.2'), '10.0.0.2')
})

test('what a client writes to the left of its own address never matters', () => {
  fc.assert(
    fc.property(fc.string(), (forged) => {
      assert.equal(clientAddress(ours, '10.0.0.1', `${forged}, 203.0.113.9`), '203.0.113.9')
    }),
  )
})

test('whether a peer is trusted is the same however often and after however many others it is asked', () => {
  const isTrusted = trustedProxies(['10.0.0.0/8'])
  for (let n = 0; n < 3000; n += 1) {
    assert.equal(isTrusted(`203.0.${n >> 8}.${n & 255}`), false)
    assert.equal(isTrusted(`10.0.${n >> 8}.${n & 255}`), true)
    assert.equal(isTrusted('10.0.0.1'), true)
  }
})

test('a hop is the same address in every spelling that proxies use, with a port or without', () => {
  for (const [hop, client] of [
    ['203.0.113.7:17085', '203.0.113.7'],
    ['"203.0.113.7:17085"', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['::FFFF:cb00:7107', '203.0.113.7'],
    ['[::ffff:203.0.113.7]:4711', '203.0.113.7'],
    ['[2001:470::1]:4711', '2001:470::1'],
    ['[2001:470::1]', '2001:470::1'],
    ['"[2001:470::1]:4711"', '2001:470::1'],
    ['2001:470:0:0:0:0:0:1', '2001:470::1'],
    ['2001:0470::0001', '2001:470::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['[fe80::1%25eth0]:80', 'fe80::1'],
  ] as const) {
    assert.equal(clientAddress(ours, '10.0.0.1', hop), client, hop)
    assert.equal(clientAddress(ours, '10.0.0.1', `198.51.100.1, ${hop}, 10.0.0.2:80`), client, hop)
  }
  for (const hop of [
    'unknown',
    '_hidden',
    '203.0.113.7:',
    '203.0.113.7:x',
    '203.0.113.07',
    '[203.0.113.7',
    '2001:470::1]:1',
  ])
    assert.equal(clientAddress(ours, '10.0.0.1', `203.0.113.9, ${hop}`), '10.0.0.1', hop)
})
