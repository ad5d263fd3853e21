import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { z } from 'zod'
import { line, optionalLine, password, prose } from './line.ts'

const takes = (schema: z.ZodType, text: string) => schema.safeParse(text).success

/** Unicode's own word for what is not seen, and U+2800, the cell without dots. Of format characters some are: signs that go around numbers. */
const isBlank = (char: string) => /[\p{Zs}\p{Default_Ignorable_Code_Point}\u2800\ufff9-\ufffb]/u.test(char)
const isNone = (char: string) =>
  /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069\ufffe\uffff]/u.test(char)

test('each character of Unicode is one that is seen, a blank, or none of a line', () => {
  const [one, maybe] = [line(9), optionalLine(9)]
  const wrong: string[] = []
  for (let code = 0; code <= 0x10ffff; code += 1) {
    const char = String.fromCodePoint(code)
    const expected = isNone(char) ? [false, false] : [!isBlank(char), true]
    if (takes(one, char) !== expected[0] || takes(maybe, char) !== expected[1]) wrong.push(code.toString(16))
  }
  assert.deepEqual(wrong, [])
})

describe('a line', () => {
  test('has something to see', () => {
    for (const nothing of ['', '   ', '\u200b', '\u3164\u2800', '\u00a0\ufeff', '\u{e0020}', '\u200d\ufe0f'])
      assert.equal(takes(line(9), nothing), false, JSON.stringify(nothing))
    for (const text of ['x', '\u200bx', '王', 'Zoë', 'مریم‌', '👩‍👩‍👧', '❤️', "d'Arc", '🏴󠁧󠁢󠁥󠁮󠁧󠁿'])
      assert.equal(takes(line(9), text), true, text)
  })

  test('holds nothing that a database, an event or a mail does not', () => {
    for (const bad of [
      'X\ud83d',
      '\ude00X',
      '\ud83d',
      'a\u0000b',
      'a\u0007',
      'a\nb',
      'a\tb',
      'a\u2028b',
      'a\u202eb',
      '\u0085a',
      '\uffffa',
    ])
      assert.equal(takes(line(9), bad), false, JSON.stringify(bad))
  })

  test('is counted by characters, and comes without blanks around it', () => {
    assert.equal(takes(line(3), '🍵🍵🍵'), true)
    assert.equal(takes(line(3), '🍵🍵🍵🍵'), false)
    assert.equal(takes(line(3), 'abcd'), false)
    assert.equal(line(9).parse('\u3000 Mei '), 'Mei')
  })

  test('costs no more than its length', () => {
    const started = process.cpuUsage()
    for (const long of ['a'.repeat(200_000), ' '.repeat(200_000)])
      assert.equal(takes(prose(9), `${long}\u0000`), false)
    assert.ok(process.cpuUsage(started).user < 2_000_000)
  })
})

test('a line that may be empty holds no more than another', () => {
  assert.equal(optionalLine(9).parse('\u200b\u3164'), '')
  for (const text of ['', '  ', 'Flat 3']) assert.equal(takes(optionalLine(9), text), true)
  for (const bad of ['a\u0000', '\ud83d', 'a\nb']) assert.equal(takes(optionalLine(9), bad), false)
})

test('prose has lines', () => {
  assert.equal(takes(prose(20), 'One.\r\n\tTwo.\n'), true)
  for (const bad of ['\n\n', '\t', 'a\u0000', 'a\ud83d', 'a\u000b'])
    assert.equal(takes(prose(20), bad), false)
})

test('a password is any text, and two are not the same for what a hash would make of them', () => {
  assert.equal(takes(password(10, 128), 'a\tpass\u0007phrase 🍵'), true)
  for (const bad of ['long enough\ud83d', '\udc00long enough', 'long\u0000enough', '🍵🍵🍵🍵🍵'])
    assert.equal(takes(password(10, 128), bad), false)
})

test('the JSON Schema of each says what it takes', () => {
  const said = z.toJSONSchema(line(100), { io: 'input' })
  assert.partialDeepStrictEqual(said, { type: 'string', maxLength: 100 })
  assert.match(String(said.pattern), /^\^\[/)
})
