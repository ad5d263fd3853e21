import assert from 'node:assert/strict'
import { test } from 'node:test'
import { networksOf } from './sign-in-limit-store.ts'

const caller = (address: string) => networksOf(address).caller
const network = (address: string) => networksOf(address).network

test('an IPv4 address is a caller, also when it is written as IPv6, and its /24 the network', () => {
  assert.equal(caller('::ffff:203.0.113.7'), caller('203.0.113.7'))
  assert.notEqual(caller('203.0.113.7'), caller('203.0.113.8'))
  assert.equal(network('203.0.113.7'), network('203.0.113.250'))
  assert.notEqual(network('203.0.113.7'), network('203.0.114.7'))
})

test('of IPv6 a /64 is one caller, and the /48 the network', () => {
  assert.equal(caller('2001:db8:1:2::1'), caller('2001:db8:1:2:ffff::9'))
  assert.notEqual(caller('2001:db8:1:2::1'), caller('2001:db8:1:3::1'))
  assert.equal(network('2001:db8:1:2::1'), network('2001:db8:1:3::1'))
  assert.notEqual(network('2001:db8:1:2::1'), network('2001:db8:2:2::1'))
})

test('what is no address is one caller, so that leaving it out gains nothing', () => {
  assert.deepEqual(networksOf(''), networksOf('unknown, really'))
})
