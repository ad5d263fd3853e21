import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { toBoolean, toQuery, toTerms } from './terms.ts'

test('English words are folded to lower case and the singular, without accents and fillers', () => {
  assert.deepEqual(toTerms('The Teapots and Berries in boxes: CAFÉ'), [
    'enteapot',
    'enberry',
    'enbox',
    'encafe',
  ])
  assert.deepEqual(toTerms('glass bus'), ['englass', 'enbus'])
})

test('a run of Chinese becomes its characters and their overlapping pairs', () => {
  assert.deepEqual(toTerms('白瓷碗'), ['u767d', 'u74f7', 'u7897', 'u767du74f7', 'u74f7u7897'])
})

test('a query takes the pairs of a run, and a single character as it is', () => {
  assert.deepEqual(toQuery('白瓷碗'), ['u767du74f7', 'u74f7u7897'])
  assert.deepEqual(toQuery('茶 cups, 茶 cup'), ['u8336', 'encup'])
})

test('letters and digits stay one word; full width counts as plain', () => {
  assert.deepEqual(toTerms('500ml ＵＳＢ-C'), ['en500ml', 'enusb', 'enc'])
})

test('all terms or any term', () => {
  assert.equal(toBoolean(['entea', 'u8336'], 'all'), '+entea* +u8336*')
  assert.equal(toBoolean(['entea', 'u8336'], 'any'), 'entea* u8336*')
})

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 100 }),
  fc.string({ unit: fc.constantFrom(...'+-><()~*"@ 茶碗éa\\\''), maxLength: 100 }),
)

test('no input reaches the boolean syntax', () => {
  fc.assert(
    fc.property(anyText, fc.constantFrom('all' as const, 'any' as const), (text, mode) => {
      assert.match(toBoolean(toQuery(text), mode), /^(\+?[a-z0-9]{3,}\*( (?=.)|$))*$/)
    }),
  )
})

test('a text is found by itself: each term of a query is the beginning of a term of the text', () => {
  fc.assert(
    fc.property(anyText, anyText, (text, more) => {
      const terms = toTerms(`${text} ${more}`)
      for (const wanted of toQuery(text))
        assert.ok(
          terms.some((term) => term.startsWith(wanted)),
          wanted,
        )
    }),
  )
})

test('terms hold what a full-text index takes, whatever its settings: 3 to 84 of a-z and 0-9', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      for (const term of toTerms(text)) assert.match(term, /^[a-z0-9]{3,84}$/)
    }),
  )
})
