import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { downloadDapr } from './dapr-release.ts'
import { openReleasePlace } from './release-place.ts'

const place = mkdtempSync(join(tmpdir(), 'caravan-release-'))
after(() => rmSync(place, { recursive: true }))

const scripts = { daprd: 'echo daprd', placement: 'echo placement' }

/** Downloads from a place that serves so; whatever comes of it, nothing unfinished is left. */
const download = async (
  serve: (bytes: Buffer, response: ServerResponse) => unknown,
  {
    checksumOf,
    ...options
  }: { checksumOf?: () => string; version?: string; from?: string; patienceMs?: number } = {},
) => {
  const releases = await openReleasePlace('1.18.3', scripts, serve, checksumOf)
  const folder = join(mkdtempSync(join(place, 'x-')), 'dapr')
  const programs = Object.keys(scripts)
  try {
    await downloadDapr(
      {
        ...{ version: '1.18.3', from: releases.from, patienceMs: 60_000, ...options },
        ...{ programs, folder },
      },
      () => {},
    )
    return folder
  } finally {
    releases.close()
    if (!existsSync(folder)) assert.deepEqual(readdirSync(join(folder, '..')), [], 'something is left')
  }
}

const all = (bytes: Buffer, response: ServerResponse) => response.end(bytes)
const half = (bytes: Buffer) => bytes.subarray(0, bytes.length / 2)

test('a release whose checksums are right is unpacked', async () => {
  const folder = await download(all)
  assert.deepEqual(readdirSync(folder).sort(), ['daprd', 'placement'])
  assert.match(readFileSync(join(folder, 'daprd'), 'utf8'), /echo daprd/)
  assert.equal(execFileSync(join(folder, 'placement'), { encoding: 'utf8' }), 'placement\n')
})

test('a program that is not what its checksum says is refused', () =>
  assert.rejects(download(all, { checksumOf: () => '0'.repeat(64) }), /not what its checksum says/))

test('a page in place of a checksum is refused', () =>
  assert.rejects(download(all, { checksumOf: () => '<html>' }), /not what its checksum says/))

test('half a file is refused', () =>
  assert.rejects(
    download((bytes, response) => {
      response.writeHead(200, { 'content-length': bytes.length })
      response.write(half(bytes), () => response.destroy())
    }),
    /tar\.gz: /,
  ))

test('half a file without a length is refused', () =>
  assert.rejects(
    download((bytes, response) => response.end(half(bytes))),
    /not what its checksum says/,
  ))

test('a place that stops in the middle of its answer is given up', () =>
  assert.rejects(
    download((bytes, response) => response.write(half(bytes)), { patienceMs: 300 }),
    /nothing came for 300 ms/,
  ))

test('a place that does not answer is given up', () =>
  assert.rejects(
    download(() => {}, { patienceMs: 300 }),
    /nothing came for 300 ms/,
  ))

test('a place that has no such version is given up', () =>
  assert.rejects(download(all, { version: '9.9.9' }), /daprd_.*sha256: status 404/))

test('a place that cannot be reached is given up', () =>
  assert.rejects(download(all, { from: 'http://127.0.0.1:9' }), /daprd_.*sha256: /))
