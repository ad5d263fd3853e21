/** A word of a script that is written without spaces is found by its characters and pairs of them. */
const unspaced = '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}'
const runs = new RegExp(`[${unspaced}]+|[[\\p{L}\\p{N}]--[${unspaced}]]+`, 'gv')
const isUnspaced = new RegExp(`^[${unspaced}]`, 'v')

const skipped = new Set(
  'a an and are as at be by for from in is it its of on or that the their this to was with'.split(' '),
)

/** What tells nothing apart: case, width, and accents on Latin letters. */
const fold = (text: string): string =>
  text
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .normalize('NFC')
    .toLowerCase()

const ascii = (text: string): string =>
  Array.from(text, (char) => (/[a-z0-9]/.test(char) ? char : `u${char.codePointAt(0)?.toString(16)}`)).join(
    '',
  )

const singular = (word: string): string => {
  if (!/^[a-z]{4,}$/.test(word) || /(ss|us|is)$/.test(word)) return word
  return word
    .replace(/ies$/, 'y')
    .replace(/(x|ch|sh|ss|zz)es$/, '$1')
    .replace(/s$/, '')
}

// The prefix keeps words clear of the index's own stopwords and of its smallest token size, 3 by default.
const wordToken = (word: string): string => `en${ascii(singular(word)).slice(0, 60)}`

const pairs = (chars: readonly string[]): string[] =>
  chars.slice(1).map((char, at) => ascii(`${chars[at]}${char}`))

const tokens = (text: string, ofRun: (chars: readonly string[]) => string[]): string[] =>
  (fold(text).match(runs) ?? []).flatMap((run) => {
    if (isUnspaced.test(run)) return ofRun([...run])
    return skipped.has(run) ? [] : [wordToken(run)]
  })

/**
 * A text as tokens of a-z and 0-9, which every full-text parser splits alike: `en…` for a word in the singular, `u76d6` and
 * `u76d6u7897` for the characters of Chinese, Japanese and Korean and their overlapping pairs.
 */
export const toTerms = (text: string): string[] =>
  tokens(text, (chars) => [...chars.map(ascii), ...pairs(chars)])

const most = 24

/** What to look for, as beginnings of tokens: of a run of two characters or more its pairs are enough. */
export const toQuery = (text: string): string[] => {
  const found = tokens(text, (chars) => (chars.length === 1 ? chars.map(ascii) : pairs(chars)))
  return [...new Set(found)].slice(0, most)
}

/** Boolean mode of MATCH … AGAINST. Terms hold no operator, since they are of a-z and 0-9 only. */
export const toBoolean = (terms: readonly string[], mode: 'all' | 'any'): string =>
  terms.map((term) => (mode === 'all' ? `+${term}*` : `${term}*`)).join(' ')
