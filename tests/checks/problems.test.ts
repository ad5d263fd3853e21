import assert from 'node:assert/strict'
import { test } from 'node:test'
import { operations } from '@caravan/contracts/all'
import type { Operation } from '@caravan/contracts/operation'
import { find, read } from './repository.ts'

/** Said of an event, or of what the provider told: nobody asked. */
const ofNoRequest = ['payments/not-captured', 'payments/wrong-sum']

/** The refusals of an app's own that a source has. What any operation may answer (403, 503, an invalid request) is in none's contract. */
const refusalsIn = (file: string): string[] => {
  const [, app] = file.split('/')
  const thrown =
    /new AppError\(\s*'(?:invalid|unauthenticated|not-found|conflict|too-many)',\s*'([a-z-]+)\/([a-z-]+)'/g
  return [...read(file).matchAll(thrown)]
    .filter(([, owner, what]) => owner === app && what !== 'invalid-request')
    .map(([, owner, what]) => `${owner}/${what}`)
}

test('a service refuses for reasons that its contract names', () => {
  const named = (operations as readonly Operation[]).flatMap(({ problems = {} }) => Object.keys(problems))
  const sources = find('apps/*/src/**/*.ts').filter(
    (file) => !/\.test\.ts$|^apps\/(gateway|psp-sandbox)\//.test(file),
  )
  const found = sources.flatMap((file) => refusalsIn(file).map((code) => ({ file, code })))
  assert.ok(found.length > 20)
  assert.deepEqual(
    found.filter(({ code }) => ![...named, ...ofNoRequest].includes(code)),
    [],
  )
})
