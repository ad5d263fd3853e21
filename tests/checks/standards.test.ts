import assert from 'node:assert/strict'
import { test } from 'node:test'
import { currencies } from '@caravan/contracts/currencies'
import { chargeFault, decimalsOf, largestCharge, price } from '@caravan/contracts/price'
import { chargeRequest } from '../../apps/psp-sandbox/src/charges.ts'
import { standards } from '../../tools/standards.ts'
import { read } from './repository.ts'

test('currencies, countries, their address forms and time zones are those of the packages that know them: npm run standards', () => {
  for (const [path, text] of Object.entries(standards())) assert.equal(read(path), text, path)
})

test('a currency is one that ISO lists now, with ISO’s minor units: neither withdrawn, nor a fund, nor no currency', () => {
  for (const code of ['VED', 'VES', 'XCG', 'ZWG', 'SLE', 'EUR']) assert.ok(code in currencies, code)
  for (const code of ['HRK', 'BGN', 'ANG', 'CUC', 'ZWL', 'RMB', 'XXX', 'XTS', 'XAU', 'CHE', 'CLF', 'XDR'])
    assert.ok(!(code in currencies), code)
  for (const [code, decimals] of [
    ['ISK', 0],
    ['UGX', 0],
    ['JPY', 0],
    ['USD', 2],
    ['VED', 2],
    ['KWD', 3],
    ['TND', 3],
  ] as const)
    assert.equal(decimalsOf(code), decimals, code)
})

const codes = new Set([
  ...Object.keys(currencies),
  ...Intl.supportedValuesOf('currency'),
  'RMB',
  'XTS',
  'usd',
])
const amounts = [0, 1, 9, 10, 1999, 2000, largestCharge - 9, largestCharge, largestCharge + 1]

test('shop and card provider judge each sum alike, of every currency and at every bound; what may be a price can be charged', () => {
  for (const currency of codes)
    for (const amount of amounts) {
      const sum = { amount, currency }
      const taken = chargeRequest.safeParse({ ...sum, paymentMethod: 'pm_x', reference: 'x' }).success
      assert.equal(chargeFault(sum) === undefined, taken, JSON.stringify(sum))
      assert.equal(price.safeParse(sum).success, taken, JSON.stringify(sum))
    }
})
