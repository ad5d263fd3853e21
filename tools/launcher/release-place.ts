import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const archiveOf = (program: string, script: string): Buffer => {
  const folder = mkdtempSync(join(tmpdir(), 'caravan-archive-'))
  writeFileSync(join(folder, program), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  try {
    return execFileSync('tar', ['-czf', '-', '-C', folder, program])
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

/**
 * A place of releases on this machine, for tests: it has one version, each program a shell script. `serve` answers for an archive, whose checksum
 * is the right one unless said otherwise; `asked` has every archive that was asked for.
 */
export const openReleasePlace = async (
  version: string,
  scripts: Readonly<Record<string, string>>,
  serve: (bytes: Buffer, response: ServerResponse) => unknown,
  checksumOf: (bytes: Buffer) => string = sha256,
) => {
  const archives = new Map(
    Object.entries(scripts).map(([program, script]) => [program, archiveOf(program, script)]),
  )
  const asked: string[] = []
  const server = createServer(({ url = '' }, response) => {
    const [, of, program = '', sum] = /^\/v([\d.]+)\/(\w+)_\w+_\w+\.tar\.gz(\.sha256)?$/.exec(url) ?? []
    const bytes = of === version && archives.get(program)
    if (!bytes) response.writeHead(404).end()
    else if (sum) response.end(`${checksumOf(bytes)}  ${program}.tar.gz\n`)
    else {
      asked.push(program)
      serve(bytes, response)
    }
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return {
    from: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
