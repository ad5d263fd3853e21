import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { assertUtf8, decodeQuery, decodeText } from './decode-text.ts'
import { AppError } from './errors.ts'

const bytes = (...values: number[]) => Uint8Array.from(values)
const refused = (status: number) => (error: unknown) => error instanceof AppError && error.status === status

describe('bytes from outside', () => {
  test('are refused, not mended, where they are not UTF-8', () => {
    for (const wrong of [
      bytes(0x4a, 0x6f, 0x73, 0xe9),
      // A surrogate, an overlong slash, what is cut short.
      bytes(0xed, 0xa0, 0xbd),
      bytes(0xc0, 0xaf),
      bytes(0xe2, 0x82),
    ])
      assert.throws(() => decodeText(wrong), refused(400))
  })

  test('may begin with a byte order mark, which is no part of the text', () => {
    assert.equal(decodeText(bytes(0xef, 0xbb, 0xbf, 0x7b, 0x7d)), '{}')
    assert.equal(decodeText(Buffer.from('José 白瓷 🍵')), 'José 白瓷 🍵')
  })
})

test('a content type that names another charset than UTF-8 is 415', () => {
  for (const type of [
    'application/json; charset=iso-8859-1',
    'application/json;charset="utf-16"',
    'application/json; v=1; Charset = latin1',
    'application/x-www-form-urlencoded; charset=windows-1252',
  ])
    assert.throws(() => assertUtf8(type), refused(415), type)
  for (const type of [undefined, '', 'application/json', 'application/json; charset="UTF-8"; v=1'])
    assertUtf8(type)
})

describe('a query', () => {
  test('is its parameters, and a list of those that come twice', () => {
    assert.deepEqual(
      { ...decodeQuery('a=1&b=green+tea&c=%E7%99%BD&a=2&d&=&e=x%3Dy=z') },
      {
        ...{ a: ['1', '2'], b: 'green tea', c: '白', d: '', '': '', e: 'x=y=z' },
      },
    )
    assert.deepEqual({ ...decodeQuery('') }, {})
    assert.deepEqual(Object.entries(decodeQuery('__proto__=1')), [['__proto__', '1']])
  })

  test('is refused, not mended, where an escape is none or its bytes are not UTF-8', () => {
    for (const wrong of ['q=%', 'q=%4', 'q=%zz', 'q=Caf%E9', 'q=%ED%A0%BD', '%C0%AF=1', 'q=Caf\xe9'])
      assert.throws(() => decodeQuery(wrong), refused(400), wrong)
  })
})
