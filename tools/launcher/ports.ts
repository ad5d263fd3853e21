import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'

// Below the ranges from which Linux (32768 on) and macOS (49152 on) take the source ports of outgoing connections.
const first = 20_000
const last = 32_000

export const isFree = async (port: number): Promise<boolean> => {
  const server = createServer().listen({ port, host: '127.0.0.1', exclusive: true })
  try {
    await once(server, 'listening')
    return true
  } catch {
    return false
  } finally {
    server.close()
  }
}

/** A source of distinct ports that were free a moment ago. `wanted` comes first for those who prefer a known one. */
export const portPool = () => {
  const taken = new Set<number>()
  const take = async (wanted?: number): Promise<number> => {
    const port = wanted ?? first + Math.floor(Math.random() * (last - first))
    if (taken.has(port)) return take()
    taken.add(port)
    if (!(await isFree(port))) return take()
    return port
  }
  return { take, reserve: (port: number) => void taken.add(port) }
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
