import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, renameSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

export type Release = {
  version: string
  programs: readonly string[]
  /** Where the programs go; must not exist. Afterwards it has all of them, or is not there. */
  folder: string
  /** Dapr's own place, unless a test has another. */
  from?: string
  /** Milliseconds to wait for the next bytes: a network that lets nothing out may answer nothing. */
  patienceMs?: number
}

const releases = 'https://github.com/dapr/dapr/releases/download'
const architectures: Record<string, string> = { x64: 'amd64', arm64: 'arm64' }

/**
 * Fetches the official programs of a version, each held against the checksum that is published beside it. Throws when the
 * network, the place or a file is not as it should be.
 */
export const downloadDapr = async (
  { version, programs, folder, from = releases, patienceMs = 5000 }: Release,
  log: (line: string) => void,
): Promise<void> => {
  const unfinished = `${folder}.${process.pid}`
  rmSync(unfinished, { recursive: true, force: true })
  mkdirSync(unfinished, { recursive: true })
  try {
    for (const program of programs) {
      const archive = `${program}_${process.platform}_${architectures[process.arch]}.tar.gz`
      const url = `${from}/v${version}/${archive}`
      const wanted = /^[0-9a-f]{64}/.exec(await read(`${url}.sha256`, patienceMs))?.[0]
      const file = join(unfinished, archive)
      const { bytes, sha256 } = await save(url, file, patienceMs)
      if (sha256 !== wanted) throw new Error(`${archive} is not what its checksum says`)
      await promisify(execFile)('tar', ['-xzf', file, '-C', unfinished, program])
      rmSync(file)
      log(`Dapr ${version}: ${program} is downloaded, ${(bytes / 1e6).toFixed(1)} MB`)
    }
    renameSync(unfinished, folder)
  } finally {
    rmSync(unfinished, { recursive: true, force: true })
  }
}

async function* bodyOf(url: string, patienceMs: number) {
  const stop = new AbortController()
  const timer = setTimeout(() => stop.abort(new Error(`nothing came for ${patienceMs} ms`)), patienceMs)
  try {
    const response = await fetch(url, { signal: stop.signal })
    if (!response.ok || !response.body) throw new Error(`status ${response.status}`)
    for await (const chunk of response.body) {
      timer.refresh()
      yield chunk
    }
  } catch (error) {
    const { cause, message } = error as Error
    throw new Error(`${url}: ${cause instanceof Error ? cause.message : message}`)
  } finally {
    clearTimeout(timer)
    stop.abort()
  }
}

const read = async (url: string, patienceMs: number): Promise<string> => {
  let text = ''
  for await (const chunk of bodyOf(url, patienceMs)) text += Buffer.from(chunk).toString('latin1')
  return text
}

const save = async (url: string, file: string, patienceMs: number) => {
  const hash = createHash('sha256')
  let bytes = 0
  await using target = await open(file, 'wx')
  for await (const chunk of bodyOf(url, patienceMs)) {
    hash.update(chunk)
    bytes += chunk.length
    await target.writeFile(chunk)
  }
  return { bytes, sha256: hash.digest('hex') }
}
