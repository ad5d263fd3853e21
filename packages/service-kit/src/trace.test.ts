import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { currentTrace, runInTrace, traceparent } from './trace.ts'

const id = '0123456789abcdef0123456789abcdef'
const span = '0123456789abcdef'

test('work goes on with the trace it was given, in a span of its own', () => {
  runInTrace(`00-${id}-${span}-00`, () => {
    const [version, trace, own, flags] = traceparent()?.split('-') ?? []
    assert.deepEqual([version, trace, flags], ['00', id, '00'])
    assert.match(String(own), /^[0-9a-f]{16}$/)
    assert.notEqual(own, span)
    assert.equal(currentTrace()?.traceId, id)
  })
})

test('a parent that is missing or malformed begins a new trace', () => {
  const bad = [
    undefined,
    '',
    'x',
    `01-${id}-${span}-01`,
    `00-${id.toUpperCase()}-${span}-01`,
    `00-${'0'.repeat(32)}-${span}-01`,
    `00-${id}-${'0'.repeat(16)}-01`,
    `00-${id}-${span}-01-more`,
  ]
  const made = bad.map((parent) => runInTrace(parent, () => String(traceparent())))
  for (const header of made) {
    assert.match(header, /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
    assert.ok(!header.includes(id) && !header.startsWith(`00-${'0'.repeat(32)}`))
  }
  assert.equal(new Set(made).size, made.length)
})

test('a trace stays with its work over awaits, and outside of any work there is none', async () => {
  const seen = await Promise.all(
    ['a', 'b'].map((digit) =>
      runInTrace(`00-${digit.repeat(32)}-${span}-01`, async () => {
        await turn()
        return currentTrace()?.traceId
      }),
    ),
  )
  assert.deepEqual(seen, ['a'.repeat(32), 'b'.repeat(32)])
  assert.equal(traceparent(), undefined)
})
