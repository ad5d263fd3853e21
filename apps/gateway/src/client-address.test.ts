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
