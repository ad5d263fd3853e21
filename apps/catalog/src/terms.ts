import { singular } from './singular.ts'

/** Grows with each change of what a text's terms are: what was indexed by an older edition is indexed again. */
export const edition = 2

/** A word of a script that is written without spaces is found by its characters and pairs of them. */
const unspaced = '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}'
const runs = new RegExp(`[${unspaced}]+|[[\\p{L}\\p{N}]--[${unspaced}]]+`, 'gv')
const isUnspaced = new RegExp(`^[${unspaced}]`, 'v')

const fillers = new Set(
  'a an and are as at be by for from in is it its of on or that the their this to was with'.split(' '),
)

/** Letters of their own that Unicode does not take apart, as they are written where a keyboard lacks them. */
const plain: Readonly<Record<string, string>> = {
  ...{
    ß: 'ss',
    æ: 'ae',
    œ: 'oe',
    þ: 'th',
    ð: 'd',
    đ: 'd',
    ø: 'o',
    ł: 'l',
    ħ: 'h',
    ŧ: 't',
    ŋ: 'n',
    ı: 'i',
    ĸ: 'k',
  },
  ς: 'σ',
}

/** What tells nothing apart: case, width, accents, ligatures, and the apostrophe of men’s. */
const fold = (text: string): string =>
  text
    .normalize('NFKD')
    .toLowerCase()
    .normalize('NFKD')
    .replace(/[\u0300-\u036f'’ʼ＇]/g, '')
    .replace(/[ßæœþðđøłħŧŋıĸς]/g, (letter) => plain[letter] ?? letter)
    .normalize('NFC')

const ascii = (text: string): string =>
  Array.from(text, (char) => (/[a-z0-9]/.test(char) ? char : `u${char.codePointAt(0)?.toString(16)}`)).join(
    '',
  )

// The prefix keeps words clear of the index's own stopwords and of its smallest token size, 3 by default.
const wordToken = (word: string): string => `en${ascii(singular(word)).slice(0, 60)}`

const pairs = (chars: readonly string[]): string[] =>
  chars.slice(1).map((char, at) => ascii(`${chars[at]}${char}`))

const tokens = (
  text: string,
  ofRun: (chars: readonly string[]) => string[],
): { term: string; isFiller: boolean }[] =>
  (fold(text).match(runs) ?? []).flatMap((run) =>
    isUnspaced.test(run)
      ? ofRun([...run]).map((term) => ({ term, isFiller: false }))
      : [{ term: wordToken(run), isFiller: fillers.has(run) }],
  )

/**
 * A text as its different tokens of a-z and 0-9, which every full-text parser splits alike: `en…` for a word in the singular,
 * `u76d6` and `u76d6u7897` for the characters of Chinese, Japanese and Korean and their overlapping pairs.
 */
export const toTerms = (text: string): string[] => [
  ...new Set(tokens(text, (chars) => [...chars.map(ascii), ...pairs(chars)]).map(({ term }) => term)),
]

const most = 24

/**
 * What to look for, as terms of the texts that have it: of a run of two characters or more its pairs are enough, and fillers
 * count where there is nothing else.
 */
export const toQuery = (text: string): string[] => {
  const found = tokens(text, (chars) => (chars.length === 1 ? chars.map(ascii) : pairs(chars)))
  const told = found.filter(({ isFiller }) => !isFiller)
  return [...new Set((told.length > 0 ? told : found).map(({ term }) => term))].slice(0, most)
}

/**
 * A term in boolean mode of MATCH … AGAINST; it holds no operator, since it is of a-z and 0-9 only. A word of three letters or
 * more is found by its beginning, too; with a shorter one a good part of all words begins.
 */
export const beginning = (term: string): string => (/^en.{3}/.test(term) ? `${term}*` : term)

/** What has all of the terms, or any. */
export const toBoolean = (terms: readonly string[], mode: 'all' | 'any'): string =>
  terms.map((term) => (mode === 'all' ? `+${beginning(term)}` : beginning(term))).join(' ')
