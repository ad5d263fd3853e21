import assert from 'node:assert/strict'
import { test } from 'node:test'
import { policyNames } from './access-control.ts'

const namesOf = (paths: string[], others?: string[]) => [...policyNames(paths, others).values()]

test('a path without parameters is its own name', () => {
  assert.deepEqual(namesOf(['/v1/sales', '/v1/reservations']), ['/v1/sales', '/v1/reservations'])
})

test('a parameter is /* at the end and /** before it', () => {
  assert.deepEqual(namesOf(['/v1/stock/{sku}', '/v1/stock/{sku}/adjustments/{id}']), [
    '/v1/stock/*',
    '/v1/stock/**/adjustments/*',
  ])
})

test('a path that another extends shares a name with it: under its own it would hide the other', () => {
  assert.deepEqual(namesOf(['/v1/orders', '/v1/orders/{id}', '/v1/orders/{id}/cancellation']), [
    '/v1/orders/*',
    '/v1/orders/*',
    '/v1/orders/**/cancellation',
  ])
  assert.deepEqual(namesOf(['/v1/refunds', '/v1/refunds/late']), ['/v1/refunds/*', '/v1/refunds/*'])
})

test('a literal beside a parameter is one, too: the branch of the literal would end the search', () => {
  assert.deepEqual(namesOf(['/v1/carts/mine/merges', '/v1/carts/{cartId}/items']), [
    '/v1/carts/**/merges',
    '/v1/carts/**/items',
  ])
})

test('who may read one but not list all has no name that covers the list', () => {
  assert.deepEqual(namesOf(['/v1/orders/{id}'], ['/v1/orders']), ['/v1/orders/*-*'])
})
