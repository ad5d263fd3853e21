import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { addressList, callerAt, readAddress, readNetwork, siteOf } from './address.ts'

const group = fc.integer({ min: 0, max: 0xffff })
const groups = fc.array(group, { minLength: 8, maxLength: 8 })
const hex = (units: readonly number[]) => units.map((each) => each.toString(16)).join(':')
/** As `URL` writes it: the longest run of zeros left out. */
const short = (units: readonly number[]) => new URL(`http://[${hex(units)}]`).hostname.slice(1, -1)

test('an address has one spelling, however it is written', () => {
  fc.assert(
    fc.property(groups, fc.boolean(), (all, zeros) => {
      const units = zeros ? all.map((each, at) => (at % 7 === 0 ? each : 0)) : all
      const known = readAddress(hex(units))
      assert.ok(known)
      for (const written of [
        short(units),
        hex(units).toUpperCase(),
        `[${short(units)}]:80`,
        `${hex(units)}%eth0`,
        known,
      ])
        assert.equal(readAddress(written), known)
    }),
  )
  fc.assert(
    fc.property(fc.ipV4(), (address) => {
      for (const written of [address, `::ffff:${address}`, `${address}:80`, `[::ffff:${address}]:80`])
        assert.equal(readAddress(written), address)
    }),
  )
})

test('a caller is an IPv4 address, or the /64 of an IPv6 address; its site the /24 or /48', () => {
  assert.equal(callerAt('203.0.113.9'), '203.0.113.9')
  assert.equal(siteOf('203.0.113.9'), '203.0.113.0')
  fc.assert(
    fc.property(groups, groups, (one, other) => {
      const within = (kept: number) => short([...one.slice(0, kept), ...other.slice(kept)])
      assert.equal(callerAt(within(4)), callerAt(hex(one)))
      assert.equal(siteOf(within(3)), siteOf(short(one)))
      if (one[3] !== other[3]) assert.notEqual(callerAt(within(3)), callerAt(hex(one)))
      if (one[2] !== other[2]) assert.notEqual(siteOf(within(2)), siteOf(hex(one)))
    }),
  )
})

test('a network has one spelling, whatever stands behind its prefix', () => {
  for (const [written, network] of [
    ['203.0.113.77/24', '203.0.113.0/24'],
    ['203.0.113.77/23', '203.0.112.0/23'],
    ['203.0.113.77/32', '203.0.113.77/32'],
    ['203.0.113.77/0', '0.0.0.0/0'],
    ['::ffff:203.0.113.77/120', '203.0.113.0/24'],
    ['2001:db8:1:2:3::9/64', '2001:db8:1:2::/64'],
    ['2001:DB8:0:0::/33', '2001:db8::/33'],
    ['203.0.113.77', '203.0.113.77'],
  ])
    assert.equal(readNetwork(String(written)), network)
  for (const written of [
    '',
    'x',
    '203.0.113.0/33',
    '2001:db8::/129',
    '1.2.3.4/',
    '1.2.3.4/8/8',
    '::ffff:1.2.3.4/95',
    '[::1]/8',
  ])
    assert.equal(readNetwork(written), undefined, written)
})

test('no network of IPv6 holds an address of IPv4, and none of IPv4 one of IPv6', () => {
  for (const network of ['::/0', '::/32', '::/80', '::ffff:0:0/96'])
    for (const address of ['203.0.113.7', '::ffff:203.0.113.7']) {
      const within = network === '::ffff:0:0/96'
      assert.equal(addressList([network])(String(readAddress(address))), within, `${address} in ${network}`)
    }
  const [all4, all6] = [addressList(['0.0.0.0/0']), addressList(['::/0'])]
  fc.assert(
    fc.property(fc.ipV4(), (address) => {
      assert.deepEqual([all4(address), all6(address)], [true, false])
    }),
  )
  fc.assert(
    fc.property(groups, (units) => {
      const address = String(readAddress(hex(units)))
      assert.deepEqual([all4(address), all6(address)], address.includes(':') ? [false, true] : [true, false])
    }),
  )
})

test('an address is in a list by its network, and no other is', () => {
  const listed = addressList(['203.0.113.77/24', '2001:db8:1::9/48', '192.0.2.7', '::ffff:198.51.100.0/120'])
  for (const address of ['203.0.113.1', '2001:db8:1:f::1', '192.0.2.7', '198.51.100.200'])
    assert.ok(listed(address), address)
  for (const address of ['203.0.114.1', '2001:db8:2::1', '192.0.2.8', '198.51.101.1'])
    assert.ok(!listed(address), address)
})
