import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { clientAddress, networkOf, trustedProxies } from './client-address.ts'

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

test('an IPv4 address counts for itself, an IPv6 address for its /64', () => {
  assert.equal(networkOf('203.0.113.9'), '203.0.113.9')
  for (const [address, network] of [
    ['2001:db8:1:2::1', '2001:db8:1:2'],
    ['2001:0DB8:0001:0002:ffff:ffff:ffff:ffff', '2001:db8:1:2'],
    ['2001:db8::3:4:5:6:7', '2001:db8:0:3'],
    ['2001:db8::', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
    ['::', '0:0:0:0'],
    ['64:ff9b::203.0.113.9', '64:ff9b:0:0'],
  ])
    assert.equal(networkOf(String(address)), network)
})

test('all addresses of a /64 have one network, whatever their spelling, and those of another have another', () => {
  const group = fc.integer({ min: 0, max: 0xffff })
  const half = fc.array(group, { minLength: 4, maxLength: 4 })
  const hex = (groups: readonly number[]) => groups.map((each) => each.toString(16)).join(':')
  /** As `URL` writes it: the longest run of zeros left out. */
  const short = (groups: readonly number[]) => new URL(`http://[${hex(groups)}]`).hostname.slice(1, -1)
  fc.assert(
    fc.property(half, half, half, fc.boolean(), (prefix, one, other, zeros) => {
      const network = zeros ? prefix.map((each, at) => (at === 0 ? each : 0)) : prefix
      assert.equal(networkOf(short([...network, ...one])), hex(network))
      assert.equal(networkOf(hex([...network, ...other]).toUpperCase()), hex(network))
    }),
  )
})
