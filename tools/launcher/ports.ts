import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'

// Below the ranges from which Linux (32768 on) and macOS (49152 on) take the source ports of outgoing connections.
const first = 20_000
const last = 32_000
const blockSize = 200

const listen = async (port: number): Promise<Server | undefined> => {
  const server = createServer().listen({ port, host: '127.0.0.1', exclusive: true }).unref()
  try {
    await once(server, 'listening')
    return server
  } catch {
    return undefined
  }
}

export const isFree = async (port: number): Promise<boolean> => {
  const server = await listen(port)
  server?.close()
  return server !== undefined
}

export type PortPool = ReturnType<typeof portPool>

/**
 * A source of distinct free ports. They come from blocks; a pool listens on the first port of a block until `close`, which
 * keeps other pools, of any process, from giving out the rest before somebody listens there.
 */
export const portPool = () => {
  const locks: Server[] = []
  const taken = new Set<number>()
  const rest: number[] = []
  let claim: Promise<void> | undefined
  const claimBlock = async () => {
    for (let tries = 0; tries < 500; tries++) {
      const start = first + blockSize * Math.floor(Math.random() * ((last - first) / blockSize))
      const lock = await listen(start)
      if (!lock) continue
      locks.push(lock)
      for (let port = start + 1; port < start + blockSize; port++) rest.push(port)
      return
    }
    throw new Error(`no ports are free from ${first} to ${last}`)
  }
  /** `wanted` comes first, for those who prefer a known port. */
  const take = async (wanted?: number): Promise<number> => {
    while (wanted === undefined && rest.length === 0) {
      claim ??= claimBlock().finally(() => {
        claim = undefined
      })
      await claim
    }
    const port = wanted ?? rest.shift() ?? 0
    if (taken.has(port)) return take()
    taken.add(port)
    return (await isFree(port)) ? port : take()
  }
  return {
    take,
    reserve: (port: number) => void taken.add(port),
    close: () => {
      for (const lock of locks) lock.close()
    },
  }
}

/** The process that listens on a port, as `name (pid n)`, where lsof or ss can tell; otherwise undefined. */
export const portHolder = (port: number): string | undefined => {
  const lsof = spawnSync('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpc'], { encoding: 'utf8' })
  const [, pid, name] = /^p(\d+)\nc(.+)$/m.exec(lsof.stdout ?? '') ?? []
  if (pid) return `${name} (pid ${pid})`
  const ss = spawnSync('ss', ['-Hltnp', `sport = :${port}`], { encoding: 'utf8' })
  const [, command, owner] = /users:\(\("([^"]+)",pid=(\d+)/.exec(ss.stdout ?? '') ?? []
  return owner && `${command} (pid ${owner})`
}
