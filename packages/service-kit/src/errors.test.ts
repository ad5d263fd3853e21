import assert from 'node:assert/strict'
import { test } from 'node:test'
import { problem } from '@caravan/contracts/common'
import fc from 'fast-check'
import { AppError, asAppError, type ErrorKind, fromProblem, toProblem } from './errors.ts'

const statuses = {
  invalid: 422,
  unauthenticated: 401,
  forbidden: 403,
  'not-found': 404,
  conflict: 409,
  'too-many': 429,
  unavailable: 503,
} satisfies Record<ErrorKind, number>

test('a kind has its status, unless the error says another', () => {
  for (const [kind, status] of Object.entries(statuses))
    assert.equal(new AppError(kind as ErrorKind, 'a/b', '').status, status)
  assert.equal(new AppError('invalid', 'a/b', '', { status: 413 }).status, 413)
})

test('a problem has the shape of RFC 9457 and the contract', () => {
  const error = new AppError('invalid', 'orders/bad-thing', 'Not so', {
    errors: [{ pointer: '/items/0', detail: 'too many' }],
    data: { limit: 3 },
  })
  const made = toProblem(error, 'abc')
  assert.deepEqual(made, {
    type: 'urn:caravan:problem:orders:bad-thing',
    title: 'Invalid request',
    status: 422,
    code: 'orders/bad-thing',
    detail: 'Not so',
    errors: [{ pointer: '/items/0', detail: 'too many' }],
    limit: 3,
    traceId: 'abc',
  })
  assert.ok(problem.safeParse(made).success)
})

test('data cannot go over the members of a problem', () => {
  const data = { status: 200, code: 'x', title: 'x', type: 'x' }
  const made = toProblem(new AppError('conflict', 'a/b', 'm', { data }))
  assert.deepEqual([made.status, made.code, made.title], [409, 'a/b', 'Conflict'])
})

test('of an unknown error nothing leaks', () => {
  for (const thrown of [new Error('secret'), 'secret', { message: 'secret' }, null, undefined]) {
    const made = toProblem(asAppError(thrown), 'abc')
    assert.deepEqual(made, {
      type: 'urn:caravan:problem:internal-error',
      title: 'Internal error',
      status: 500,
      code: 'internal-error',
      traceId: 'abc',
    })
  }
})

test('the cause of a known error does not leak', () => {
  const made = toProblem(new AppError('conflict', 'a/b', 'm', { cause: new Error('secret') }))
  assert.doesNotMatch(JSON.stringify(made), /secret/)
})

test('a lost database is unavailable and invites a repeat', () => {
  const lost = [
    Object.assign(new Error('connect ECONNREFUSED 10.0.0.1'), { code: 'ECONNREFUSED', syscall: 'connect' }),
    Object.assign(new Error('getaddrinfo EAI_AGAIN mysql'), { code: 'EAI_AGAIN', syscall: 'getaddrinfo' }),
    Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', fatal: true }),
    Object.assign(new Error('read-only'), { code: 'ER_OPTION_PREVENTS_STATEMENT' }),
    Object.assign(new Error('x'), { code: 'PROTOCOL_CONNECTION_LOST' }),
    Object.assign(new Error('x'), { code: 'ER_LOCK_DEADLOCK' }),
    Object.assign(new Error('The table is full'), { code: 'ER_RECORD_FILE_FULL' }),
    Object.assign(new Error('x'), { name: 'KnexTimeoutError' }),
    new Error("Can't add new command when connection is in closed state"),
  ]
  for (const error of lost) {
    const known = asAppError(error)
    assert.deepEqual([known?.kind, known?.details.retryAfterSeconds], ['unavailable', 1])
    assert.doesNotMatch(JSON.stringify(toProblem(known)), /10\.0\.0\.1/)
  }
  assert.equal(asAppError(Object.assign(new Error('x'), { code: 'ER_DUP_ENTRY' })), undefined)
})

test('what another service answered is the same error again', () => {
  const kinds = fc.constantFrom(...(Object.keys(statuses) as ErrorKind[]))
  const errors = fc.array(
    fc.record({ pointer: fc.string(), detail: fc.string() }, { noNullPrototype: true }),
    { minLength: 1 },
  )
  fc.assert(
    fc.property(kinds, fc.string(), fc.option(errors), fc.boolean(), (kind, message, faults, withData) => {
      const sent = new AppError(kind, 'orders/x', message, {
        ...(faults ? { errors: faults } : {}),
        ...(withData ? { data: { shortages: [1] } } : {}),
      })
      const wire = JSON.parse(JSON.stringify(toProblem(sent, 'a-trace')))
      const got = fromProblem(sent.status, wire)
      assert.deepEqual(
        [got.kind, got.code, got.message, got.details],
        [sent.kind, sent.code, sent.message, { ...sent.details, status: sent.status }],
      )
    }),
  )
})

test('a status that no kind has keeps its number', () => {
  const answered = (status: number) => fromProblem(status, { type: '', title: 'T', status, code: 'a/b' })
  assert.deepEqual([answered(402).status, answered(402).kind], [402, 'invalid'])
  assert.deepEqual([answered(500).status, answered(500).kind], [500, 'unavailable'])
  assert.equal(answered(402).message, 'T')
})
