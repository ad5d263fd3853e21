import assert from 'node:assert/strict'
import { test } from 'node:test'
import { find, read } from './repository.ts'

const patientMs = 60_000

/** The third argument of each `eventually(...)`, where that is a number. */
const deadlinesIn = (source: string): number[] =>
  source.split(/\beventually\(/).flatMap((text, index) => {
    if (index === 0) return []
    let depth = 1
    let end = 0
    while (depth > 0 && end < text.length) {
      if (text[end] === '(') depth += 1
      if (text[end] === ')') depth -= 1
      end += 1
    }
    const [, last] = /,\s*(\d[\d_]*),?\s*\)$/.exec(text.slice(0, end)) ?? []
    return last ? [Number(last.replaceAll('_', ''))] : []
  })

// What must be quick is measured against the machine's own pace, or by the median of many.
test('no test gives up what it waits for before a busy machine could have it', () => {
  const files = find('{apps,packages}/*/src/**/*.ts', '{tests,tools}/**/*.ts')
  const hasty = files.flatMap((file) =>
    deadlinesIn(read(file)).flatMap((ms) => (ms < patientMs ? `${file}: ${ms} ms` : [])),
  )
  assert.deepEqual(hasty, [])
})

test('no test holds a piece of work to a time by the clock: processor time is its own on a busy machine, too', () => {
  const files = find('{apps,packages}/*/src/**/*.test.ts', '{tests,tools}/**/*.test.ts')
  const timed = /performance\.now\(\) - \w+ <|Date\.now\(\) - \w+ </
  assert.deepEqual(
    files.filter((file) => timed.test(read(file))),
    [],
  )
})

test('a deadline is found whatever stands before it', () => {
  const call = (args: string) => `await eventual${'ly'}(${args})`
  assert.deepEqual(deadlinesIn(call(`'a', () => b(1, 2), 500`)), [500])
  assert.deepEqual(deadlinesIn(call(`\n'a (b)',\nasync () => (await b(c)).d === 3,\n 30_000,\n`)), [30_000])
  assert.deepEqual(deadlinesIn(`${call(`'a', () => b(1, 2)`)}; c(3, 5000)`), [])
})
