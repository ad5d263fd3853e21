import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { commitImages, type Image, imagesOf, promotedImages } from './overlay.ts'

const image = (digit: string): Image => ({
  ...{ name: 'caravan-orders', newName: 'registry.example/caravan-orders' },
  digest: `sha256:${digit.repeat(64)}`,
})
const fileOf = (overlay: string) => `deploy/kubernetes/overlays/${overlay}/kustomization.yaml`

const before = '# What testers see.\nresources: [../../base]\nnamespace: caravan\n'

/** A repository with an overlay and its bare remote; `clone` makes another of the same remote. */
const repository = (t: TestContext) => {
  const folder = mkdtempSync(join(tmpdir(), 'caravan-overlay-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const git = (cwd: string, ...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@example.com', ...args], {
      ...{ cwd, encoding: 'utf8', stdio: 'pipe' },
    })
  const clone = (name: string) => {
    git(folder, 'clone', '--quiet', 'remote', name)
    return join(folder, name)
  }
  git(folder, 'init', '--quiet', '--bare', '--initial-branch=main', 'remote')
  const first = clone('first')
  const write = (overlay: string, text: string) => {
    mkdirSync(dirname(join(first, fileOf(overlay))), { recursive: true })
    writeFileSync(join(first, fileOf(overlay)), text)
  }
  write('test', before)
  write(
    'online',
    '# Yours.\nimages:\n  - { name: caravan-orders, newName: registry.example/orders, newTag: 0.1.0 }\npatches: [] # none\n',
  )
  writeFileSync(join(first, 'README.md'), 'as committed\n')
  git(first, 'add', '.')
  git(first, 'commit', '--quiet', '--message', 'first')
  git(first, 'push', '--quiet', 'origin', 'HEAD:main')
  return {
    first,
    clone,
    log: () => git(join(folder, 'remote'), 'log', '--format=%s', 'main').trim().split('\n'),
  }
}

test('an overlay’s images are committed to main, and all else stays as it is', (t) => {
  const { first, clone, log } = repository(t)
  writeFileSync(join(first, 'made-by-the-build'), '')
  commitImages(first, 'test', () => [image('a')])
  assert.deepEqual(log(), ['chore(deploy): images of test [skip ci]', 'first'])
  const other = clone('other')
  assert.deepEqual(imagesOf(other, 'test'), [image('a')])
  const { name, newName, digest } = image('a')
  assert.equal(
    readFileSync(join(other, fileOf('test')), 'utf8'),
    `${before}images:\n  - name: ${name}\n    newName: ${newName}\n    digest: ${digest}\n`,
  )
})

test('the same images again are no commit', (t) => {
  const { first, log } = repository(t)
  commitImages(first, 'test', () => [image('a')])
  commitImages(first, 'test', () => [image('a')])
  assert.equal(log().length, 2)
})

test('what another committed meanwhile stays, and is what the images are chosen from', (t) => {
  const { first, clone, log } = repository(t)
  const second = clone('second')
  commitImages(first, 'test', () => [image('a')])
  commitImages(second, 'test', () => {
    assert.deepEqual(imagesOf(second, 'test'), [image('a')])
    return [image('b')]
  })
  assert.equal(log().length, 3)
})

test('a remote that takes nothing is an error', (t) => {
  const { first } = repository(t)
  writeFileSync(join(first, '../remote/hooks/pre-receive'), '#!/bin/sh\nexit 1\n', { mode: 0o755 })
  assert.throws(() => commitImages(first, 'test', () => [image('a')]), /push/)
})

test('online gets the images that it names, as test has them, and none that was not released', (t) => {
  const { first } = repository(t)
  assert.throws(() => promotedImages(first), /the overlay test has no caravan-orders of a release/)
  commitImages(first, 'test', () => [{ ...image('b'), name: 'caravan-mail-sandbox' }, image('a')])
  commitImages(first, 'online', () => promotedImages(first))
  assert.deepEqual(imagesOf(first, 'online'), [image('a')])
  assert.match(
    readFileSync(join(first, fileOf('online')), 'utf8'),
    /^# Yours\.\nimages:\n[^#]+\npatches: \[\] # none\n$/,
  )
})
