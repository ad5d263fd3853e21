import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type PricingContent, pricingContent } from '@caravan/contracts/pricing'
import { faultsOf } from './sound-pricing.ts'

const method = {
  ...{ id: 'post', name: { en: 'Post' }, taxClass: 'standard', by: 'weight' as const },
  ...{ brackets: [{ upTo: 1000, price: 500 }, { price: 900 }], freeFrom: 5000 },
  workingDays: { least: 1, most: 3 },
}
const rate = { taxClass: 'standard', name: { en: 'VAT' }, ratePpm: 190_000 }
const settings = (methods: object[], rates: object[]): PricingContent =>
  pricingContent.parse({
    markets: [
      {
        ...{ currency: 'KWD', prices: 'gross', rounding: 'line' },
        deliveryZones: [{ places: [{ country: 'KW' }], methods }],
      },
    ],
    taxZones: [{ places: [{ country: 'DE' }], rates }],
  })
const pointers = (methods: object[], rates: object[] = [rate]) =>
  faultsOf(settings(methods, rates)).map(({ pointer }) => pointer)
const at = '/markets/0/deliveryZones/0/methods'

test('settings that can be reckoned with have no fault', () => assert.deepEqual(pointers([method]), []))

test('a price that no card could be charged with is one, and what says two things', () => {
  assert.deepEqual(pointers([{ ...method, brackets: [{ price: 505 }] }]), [`${at}/0/brackets/0/price`])
  assert.deepEqual(pointers([{ ...method, freeFrom: 5 }]), [`${at}/0/freeFrom`])
  assert.deepEqual(pointers([{ ...method, brackets: [{ price: 10 }, { price: 20 }] }]), [
    `${at}/0/brackets/1/upTo`,
  ])
  assert.deepEqual(pointers([{ ...method, workingDays: { least: 2, most: 1 } }]), [
    `${at}/0/workingDays/most`,
  ])
  assert.deepEqual(pointers([method, method]), [`${at}/1/id`])
  assert.deepEqual(pointers([method], [{ ...rate, taxClass: 'reduced' }]), ['/taxZones/0/rates'])
  assert.deepEqual(pointers([method], [rate, rate]), ['/taxZones/0/rates/1/taxClass'])
})
