import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { downloadDapr } from './dapr-release.ts'

const place = mkdtempSync(join(tmpdir(), 'caravan-release-'))
after(() => rmSync(place, { recursive: true }))

const archiveOf = (program: string): Buffer => {
  writeFileSync(join(place, program), `#!/bin/sh\necho ${program}\n`, { mode: 0o755 })
  return execFileSync('tar', ['-czf', '-', '-C', place, program])
}
const archives = new Map(['daprd', 'placement'].map((name) => [name, archiveOf(name)]))
const checksum = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

/** A place of releases: `serve` answers for an archive, its checksum is always the right one. */
const download = async (
  serve: (bytes: Buffer, response: Parameters<RequestListener>[1]) => void,
  { checksumOf = checksum, patienceMs = 10_000 } = {},
) => {
  const server = createServer(({ url = '' }, response) => {
    const [, program = '', sum] = /^\/v1\.18\.3\/(\w+)_\w+_\w+\.tar\.gz(\.sha256)?$/.exec(url) ?? []
    const bytes = archives.get(program)
    if (!bytes) response.writeHead(404).end()
    else if (sum) response.end(`${checksumOf(bytes)}  ${program}.tar.gz\n`)
    else serve(bytes, response)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const folder = join(mkdtempSync(join(place, 'x-')), 'dapr')
  try {
    const from = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const programs = [...archives.keys()]
    await downloadDapr({ version: '1.18.3', programs, folder, from, patienceMs }, () => {})
    return folder
  } finally {
    server.closeAllConnections()
    server.close()
    if (!existsSync(folder)) assert.deepEqual(readdirSync(join(folder, '..')), [], 'something is left')
  }
}

test('a release whose checksums are right is unpacked', async () => {
  const folder = await download((bytes, response) => response.end(bytes))
  assert.deepEqual(readdirSync(folder).sort(), ['daprd', 'placement'])
  assert.match(readFileSync(join(folder, 'daprd'), 'utf8'), /echo daprd/)
  assert.equal(execFileSync(join(folder, 'placement'), { encoding: 'utf8' }), 'placement\n')
})

test('a program that is not what its checksum says is refused', () =>
  assert.rejects(
    download((bytes, response) => response.end(bytes), { checksumOf: () => '0'.repeat(64) }),
    /not what its checksum says/,
  ))

test('a page in place of a checksum is refused', () =>
  assert.rejects(
    download((bytes, response) => response.end(bytes), { checksumOf: () => '<html>' }),
    /not what its checksum says/,
  ))

test('half a file is refused', () =>
  assert.rejects(
    download((bytes, response) => {
      response.writeHead(200, { 'content-length': bytes.length })
      response.write(bytes.subarray(0, bytes.length / 2))
      setTimeout(() => response.destroy(), 50)
    }),
    /tar\.gz: /,
  ))

test('half a file without a length is refused', () =>
  assert.rejects(
    download((bytes, response) => response.end(bytes.subarray(0, bytes.length / 2))),
    /not what its checksum says/,
  ))

test('a place that stops answering is given up', () =>
  assert.rejects(
    download((bytes, response) => void response.write(bytes.subarray(0, 10)), { patienceMs: 300 }),
    /nothing came for 300 ms/,
  ))

test('a place that has nothing is given up', () =>
  assert.rejects(
    downloadDapr(
      { version: '9.9.9', programs: ['daprd'], folder: join(place, 'none'), from: 'http://127.0.0.1:9' },
      () => {},
    ),
    /daprd_.*sha256: /,
  ))
