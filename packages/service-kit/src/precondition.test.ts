import assert from 'node:assert/strict'
import { test } from 'node:test'
import { etagOf, isListed, readPrecondition } from './precondition.ts'

const current = { name: 'a' }
const now = etagOf(JSON.stringify(current))
const other = etagOf('another')

/** What comes of a write with these headers, where `current` is there or nothing is. */
const outcome = (headers: Record<string, string>, there: object | undefined): number => {
  try {
    readPrecondition(headers, (value) => etagOf(JSON.stringify(value)))(there)
    return 200
  } catch (error) {
    return (error as { status: number }).status
  }
}

/** RFC 9110, 13.1.1 and 13.1.2. */
const cases: readonly [headers: Record<string, string>, there: number, absent: number][] = [
  [{}, 200, 200],
  [{ 'if-match': now }, 200, 412],
  [{ 'if-match': other }, 412, 412],
  [{ 'if-match': '*' }, 200, 412],
  [{ 'if-match': ` ${other} ,, ${now}\t` }, 200, 412],
  [{ 'if-match': `${other}, "a,b", ""` }, 412, 412],
  // Strong comparison: a weak tag is nobody's.
  [{ 'if-match': `W/${now}` }, 412, 412],
  [{ 'if-none-match': '*' }, 412, 200],
  [{ 'if-none-match': now }, 412, 200],
  // Weak comparison.
  [{ 'if-none-match': `W/${now}` }, 412, 200],
  [{ 'if-none-match': other }, 200, 200],
  [{ 'if-none-match': `${other}, ${now}` }, 412, 200],
  [{ 'if-match': now, 'if-none-match': now }, 412, 412],
  [{ 'if-match': now, 'if-none-match': other }, 200, 412],
  ...['', 'abc', now.slice(1), `${now} ${other}`, `*, ${now}`, `w/${now}`, '"a"b"'].flatMap(
    (malformed): [Record<string, string>, number, number][] => [
      [{ 'if-match': malformed }, 400, 400],
      [{ 'if-none-match': malformed }, 400, 400],
    ],
  ),
]

test('a write keeps to its conditions', () => {
  for (const [headers, there, absent] of cases) {
    assert.equal(outcome(headers, current), there, `${JSON.stringify(headers)} on what is there`)
    assert.equal(outcome(headers, undefined), absent, `${JSON.stringify(headers)} on what is not`)
  }
})

test('a list is read in time that grows with its length', () => {
  const started = process.cpuUsage()
  for (const long of [`${'"a",'.repeat(3000)}"`, `${','.repeat(8000)}x`, `${'W/"a" ,\t'.repeat(1500)}W`])
    assert.equal(isListed(long, '"a"'), false)
  assert.ok(process.cpuUsage(started).user < 1_000_000)
})

test('what the client has is told by a weak comparison with each tag of its list', () => {
  assert.ok(isListed('*', now))
  assert.ok(isListed(`"x,y", W/${now}`, now))
  assert.ok(isListed(now, `W/${now}`))
  assert.ok(!isListed('"x"', now))
  assert.ok(!isListed('x', 'x'))
})
