import assert from 'node:assert/strict'
import { test } from 'node:test'
import { promotionChanged } from '@caravan/contracts/promotions'
import { createTerms } from './terms.ts'

const settings = { markets: [], taxZones: [] }

test('terms are read once a mark, however many ask', async () => {
  let reads = 0
  const termsAt = createTerms(async () => {
    reads += 1
    return { settings, promotions: [] }
  })
  await Promise.all(['a', 'a', 'a'].map(termsAt))
  await termsAt('a')
  assert.equal(reads, 1)
  await termsAt('b')
  assert.equal(reads, 2)
})

test('a read that failed is made again', async () => {
  let fails = true
  const termsAt = createTerms(async () => {
    if (fails) throw new Error('no database')
    return { settings, promotions: [] }
  })
  await assert.rejects(termsAt('a'), /no database/)
  fails = false
  assert.deepEqual((await termsAt('a')).settings, settings)
})

test('automatic promotions are there by currency, all by id', async () => {
  const automatic = promotionChanged.example
  const byCode = { ...automatic, id: '0192f3a4-0000-7000-8000-000000000002', trigger: 'code' as const }
  const termsAt = createTerms(async () => ({ settings, promotions: [automatic, byCode] }))
  const terms = await termsAt('a')
  assert.deepEqual(terms.automatic.get('EUR'), [automatic])
  assert.equal(terms.automatic.get('USD'), undefined)
  assert.equal(terms.byId.get(byCode.id), byCode)
})
