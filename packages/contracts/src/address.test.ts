import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { z } from 'zod'
import { address, keptAddress } from './address.ts'
import { addressForms } from './address-forms.ts'

const accepts = new Ajv2020({ strict: false }).compile(z.toJSONSchema(address, { io: 'input' }))

/** The fields at fault, by the schema; its document must judge alike. */
const faults = (fields: object): string[] => {
  const value = { name: 'Mei', line1: '1 Long Road', ...fields }
  const issues = address.safeParse(value).error?.issues ?? []
  assert.equal(accepts(value), issues.length === 0, JSON.stringify(value))
  return issues.map(({ path }) => path.join('/'))
}

const cases: [what: string, fields: object, faults: string[]][] = [
  ['Hong Kong has no postal codes', { city: 'Kowloon', country: 'HK' }, []],
  ['of Hong Kong a region will do too', { region: 'Kowloon', country: 'HK' }, []],
  ['somewhere in Hong Kong it has to be', { country: 'HK' }, ['region']],
  ['the United States have postal codes', { city: 'Cupertino', country: 'US' }, ['postalCode']],
  ['and this is one', { city: 'Cupertino', country: 'US', postalCode: '95014' }, []],
  ['and this is none', { city: 'Cupertino', country: 'US', postalCode: '9501' }, ['postalCode']],
  ['and this is blank', { city: 'Cupertino', country: 'US', postalCode: ' ' }, ['postalCode']],
  ['Singapore has no cities', { country: 'SG', postalCode: '546080' }, []],
  ['Japan writes cities with the street', { region: '東京都', country: 'JP', postalCode: '112-0001' }, []],
  ['Ireland lets one leave the Eircode out', { city: 'Dublin', country: 'IE' }, []],
  ['Jamaica has parishes', { city: 'Kingston', country: 'JM' }, ['region']],
  ['letters of a postal code have no case', { city: 'London', country: 'GB', postalCode: 'ec1y 8sy' }, []],
  ['the United Kingdom is GB', { city: 'London', country: 'UK', postalCode: 'EC1Y 8SY' }, ['country']],
  ['codes are in capitals', { city: 'Paris', country: 'fr', postalCode: '75001' }, ['country']],
  [
    'a company and a phone',
    { city: 'Dubai', country: 'AE', company: 'Souk', phone: '+971 (4) 123-4567 x12' },
    [],
  ],
  ['a phone has digits', { city: 'Dubai', country: 'AE', phone: 'call me' }, ['phone']],
]
for (const [what, fields, expected] of cases)
  test(`${what}: ${JSON.stringify(fields)}`, () => assert.deepEqual(faults(fields), expected))

test('of each country, an address with a city, a region and its example of a postal code is one', () => {
  for (const [country, form] of Object.entries(addressForms)) {
    const postalCode = 'example' in form ? form.example : '1'
    for (const code of [postalCode, postalCode.toLowerCase()])
      assert.deepEqual(
        faults({ city: 'X', region: 'Y', postalCode: code, country }),
        [],
        `${country} ${code}`,
      )
  }
})

test('of each country, what is left out is at fault only where its form demands it', () => {
  for (const [country, { demands }] of Object.entries(addressForms)) {
    const without = faults({ country })
    assert.equal(without.includes('city'), demands.includes('C'), country)
    assert.equal(without.includes('postalCode'), demands.includes('Z'), country)
  }
})

test('an address that was kept before a rule came is shown as it is', () => {
  const old = { name: '-', line1: '-', city: '-', postalCode: '-', country: 'UK' }
  assert.deepEqual(keptAddress.parse(old), old)
})
