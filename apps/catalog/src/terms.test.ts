import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { toBoolean, toQuery, toTerms } from './terms.ts'

test('English words are folded to lower case and the singular, without accents; a query drops the fillers', () => {
  const text = 'The Teapots and Berries in boxes: CAFÉ'
  const found = ['enteapot', 'enberry', 'enbox', 'encafe']
  assert.deepEqual(toQuery(text), found)
  assert.deepEqual(toTerms(text), ['enthe', 'enteapot', 'enand', 'enberry', 'enin', 'enbox', 'encafe'])
})

test('a query of nothing but fillers looks for them', () => {
  assert.deepEqual(toQuery('The The'), ['enthe'])
  assert.deepEqual(toQuery('the A-B'), ['enb'])
})

/** Spellings that mean the same. */
const alike = [
  ['pass', 'passes', 'PASSES', 'High Passes'.slice(5)],
  ['strasse', 'straße', 'STRASSE', 'Straßen'.slice(0, 6), 'STRAẞE'],
  ['łódź', 'lodz', 'ŁÓDŹ'],
  ['smørrebrød', 'smorrebrod'],
  ['đà', 'da'],
  ['æble', 'aeble', 'Æble'],
  ['œuvre', 'oeuvre'],
  ['þorn', 'thorn'],
  ['eyðir', 'eydir'],
  ['ısı', 'isi', 'İSİ'],
  ['ΟΔΟΣ', 'οδος', 'οδοσ'],
  ['café', 'cafe\u0301', 'CAFÉS', 'cafes'],
  ['ﬁne', 'fine'],
  ['men’s', "men's", 'mens', 'man'],
  ['USB-C', 'usb c', 'ＵＳＢ－Ｃ', 'usb/c'],
  ['T-shirts', 't shirt'],
  ['500ml', '５００ＭＬ'],
  ['白瓷碗', '白瓷碗 ', '「白瓷碗」'],
  ['ﾃｨｰ', 'ティー'],
]

test('spellings that mean the same are the same terms, in a text and in a query', () => {
  for (const [first = '', ...others] of alike)
    for (const other of others) {
      assert.deepEqual(toTerms(other), toTerms(first), `${first}, ${other}`)
      assert.deepEqual(toQuery(other), toQuery(first), `${first}, ${other}`)
    }
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
  assert.equal(toBoolean(['entea', 'u8336'], 'all'), '+entea* +u8336')
  assert.equal(toBoolean(['entea', 'u8336'], 'any'), 'entea* u8336')
})

test('a word of one or two letters is found as a whole only', () => {
  assert.equal(toBoolean(toQuery('B cd tea'), 'all'), '+enb +encd +entea*')
})

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 100 }),
  fc.string({ unit: fc.constantFrom(...'+-><()~*"@ 茶碗éa\\\''), maxLength: 100 }),
)

test('no input reaches the boolean syntax', () => {
  fc.assert(
    fc.property(anyText, fc.constantFrom('all' as const, 'any' as const), (text, mode) => {
      assert.match(toBoolean(toQuery(text), mode), /^(\+?[a-z0-9]{3,}\*?( (?=.)|$))*$/)
    }),
  )
})

test('a text is found by itself: each term of a query is a term of the text', () => {
  fc.assert(
    fc.property(anyText, anyText, (text, more) => {
      const terms = toTerms(`${text} ${more}`)
      for (const wanted of toQuery(text)) assert.ok(terms.includes(wanted), wanted)
    }),
  )
})

test('case, width and composition never tell two texts apart', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      for (const form of ['NFC', 'NFD', 'NFKC', 'NFKD'] as const)
        assert.deepEqual(toTerms(text.normalize(form)), toTerms(text), form)
      assert.deepEqual(toTerms(text.toLowerCase()), toTerms(text), 'lower case')
    }),
    { numRuns: 3000 },
  )
})

test('terms hold what a full-text index takes, whatever its settings: 3 to 84 of a-z and 0-9', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      for (const term of toTerms(text)) assert.match(term, /^[a-z0-9]{3,84}$/)
    }),
  )
})
