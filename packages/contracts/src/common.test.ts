import assert from 'node:assert/strict'
import { test } from 'node:test'
import { email, inLanguage, instant, moment, text } from './common.ts'

const taken = [
  'mei@example.com',
  'mei@xn--fsqu00a.xn--fiqs8s',
  'o’hara'.replace('’', "'").concat('@example.museum'),
  'first.last+tag/x=y{z}|~!#$%&*?^_`-@sub.example.co.uk',
  `${'a'.repeat(64)}@example.com`,
  `a@${`${'b'.repeat(63)}.`.repeat(3)}example`,
  'mei@1-2-3.example',
  'mei@localhost',
]
const refused = [
  'x',
  '@example.com',
  'mei@',
  'mei@-example.com',
  'mei@example-.com',
  'mei@example..com',
  'mei@exa_mple.com',
  'a b@example.com',
  '美@example.com',
  'mei@例子.中国',
  // An e-mail server takes these only in quotes, and the shop's would never send them.
  'a..b@example.com',
  '.a@example.com',
  'a.@example.com',
  `${'a'.repeat(65)}@example.com`,
  `a@${`${'b'.repeat(63)}.`.repeat(4)}example`,
  'mei@example.com, eve@example.com',
  'mei@example.com;eve@example.com',
  'mei@example.com\r\nBcc: eve@example.com',
]

for (const address of taken)
  test(`${address} is an address`, () => assert.equal(email.safeParse(address).success, true))
for (const address of refused)
  test(`${JSON.stringify(address)} is none`, () => assert.equal(email.safeParse(address).success, false))

test('an address has one spelling', () => assert.equal(email.parse(' Mei@Example.COM '), 'mei@example.com'))

test('a text needs one language, no matter which, and none of its languages is empty', () => {
  const schema = text(10)
  for (const some of [{ en: 'Tea' }, { zh: '茶' }, { en: 'Tea', zh: '茶' }])
    assert.deepEqual(schema.parse(some), some)
  for (const some of [{}, { en: ' ' }, { en: 'Tea', zh: '' }, { de: 'Tee' }, { en: 'Tea', de: 'Tee' }])
    assert.equal(schema.safeParse(some).success, false, JSON.stringify(some))
})

test('who reads another language gets what there is', () => {
  assert.equal(inLanguage({ zh: '茶' }, 'en'), '茶')
  assert.equal(inLanguage({ en: 'Tea' }, 'zh'), 'Tea')
  assert.equal(inLanguage({ en: 'Tea', zh: '茶' }, 'zh'), '茶')
})

test('a moment is taken in every spelling of RFC 3339, and has one', () => {
  for (const spelling of [
    '2027-01-01T00:00:00Z',
    '2027-01-01T00:00:00.000Z',
    '2027-01-01T00:00:00.000000Z',
    '2027-01-01T08:00:00+08:00',
    '2026-12-31T18:30:00.0-05:30',
  ])
    assert.equal(instant.parse(moment.parse(spelling)), '2027-01-01T00:00:00.000Z', spelling)
  for (const other of ['2027-01-01', '2027-01-01T00:00:00', '2027-02-30T00:00:00Z', 'tomorrow', '1798761600'])
    assert.equal(moment.safeParse(other).success, false, other)
})
