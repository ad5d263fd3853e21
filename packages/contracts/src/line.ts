import { z } from 'zod'

// Ranges of characters, as they stand in a JSON Schema's pattern too: no property classes, which few other languages know, and none
// beyond U+FFFF by escapes, which are written differently in each. `line.test.ts` holds them to Unicode's properties.

/** Beyond U+FFFF: what is not seen, which is tags and variation selectors, musical and shorthand format; and the rest. */
const high = { blank: '\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}' }
const highShown = '\u{10000}-\u{1bc9f}\u{1bca4}-\u{1d172}\u{1d17b}-\u{dffff}\u{e1000}-\u{10ffff}'

/** May stand in a text, but nothing is seen of it: blanks and fillers of all scripts, joiners, marks of direction, selectors. */
const blank = [
  '\\u0020\\u00a0\\u00ad\\u034f\\u061c\\u115f-\\u1160\\u1680\\u17b4-\\u17b5\\u180b-\\u180f\\u2000-\\u200f\\u202f\\u205f-\\u2065\\u206a-\\u206f',
  `\\u2800\\u3000\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufffb${high.blank}`,
].join('')

/**
 * Is seen. Neither this nor a blank are the controls (U+0000 among them), the separators of lines and paragraphs, embeddings, overrides
 * and isolates, which turn round what stands behind the text, halves of surrogate pairs, and U+FFFE and U+FFFF, which are no characters.
 */
const shown = [
  '\\u0021-\\u007e\\u00a1-\\u00ac\\u00ae-\\u034e\\u0350-\\u061b\\u061d-\\u115e\\u1161-\\u167f\\u1681-\\u17b3\\u17b6-\\u180a\\u1810-\\u1fff',
  '\\u2010-\\u2027\\u2030-\\u205e\\u2070-\\u27ff\\u2801-\\u2fff\\u3001-\\u3163\\u3165-\\ud7ff\\ue000-\\ufdff\\ufe10-\\ufefe\\uff00-\\uff9f',
  `\\uffa1-\\uffef\\ufffc-\\ufffd${highShown}`,
].join('')

/** By characters, as JSON Schema and the database count, not by the halves that a string is made of. */
const atMost = (max: number) => (text: string) => text.length <= max || [...text].length <= max

const seen = (others: string): RegExp =>
  new RegExp(`^[${others}${blank}]*[${shown}][${others}${blank}${shown}]*$`, 'u')
export const aLine = seen('')
const someLines = seen('\\t\\n\\r')
const aLineOrNone = new RegExp(`^[${blank}${shown}]*$`, 'u')
const onlyBlank = new RegExp(`^[${blank}]*$`, 'u')

const written = (pattern: RegExp, max: number, error: string) =>
  z
    .string()
    .regex(pattern, error)
    .refine(atMost(max), `at most ${max} characters`)
    .meta({ maxLength: max })
    // Last, so that the JSON Schema, which cannot trim, is about what comes.
    .trim()

/** What somebody writes in one line, such as a name: something to be seen, and nothing that a database, an event or a mail would not hold. */
export const line = (max: number) => written(aLine, max, 'one line of text, with something to see')

/** A line that a form may leave empty; one of which nothing is seen is. */
export const optionalLine = (max: number) =>
  written(aLineOrNone, max, 'one line of text').overwrite((text) => (onlyBlank.test(text) ? '' : text))

/** What somebody writes in several lines, such as a description. */
export const prose = (max: number) => written(someLines, max, 'text, with something to see')

/** All but U+0000 and halves of surrogate pairs. */
const any = '\\u0001-\\ud7ff\\ue000-\\uffff\u{10000}-\u{10ffff}'
const anyText = new RegExp(`^[${any}]*$`, 'u')

/** A password: any characters, but no halves of surrogate pairs, which would all be hashed as one and the same. */
export const password = (min: number, max: number) =>
  z
    .string()
    .regex(anyText, 'text')
    .refine((text) => [...text].length >= min, `at least ${min} characters`)
    .refine(atMost(max), `at most ${max} characters`)
    .meta({ minLength: min, maxLength: max })
