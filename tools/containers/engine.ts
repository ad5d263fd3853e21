import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { canInstall, install } from '../launcher/apt.ts'
import { findProgram } from '../launcher/programs.ts'
import { isAlive, repository } from '../launcher/stack-file.ts'
import { findDocker } from './docker.ts'

export type Engine = {
  /** The client, to be called with DOCKER_HOST in the environment. */
  docker: string
  /** Of an engine that is ours: ends it, and with it its containers, and begins it again. */
  restart?: () => Promise<void>
  /** Ends an engine that is ours, and unless they are to stay removes its images. */
  release: (keep: boolean) => Promise<void>
}

const answers = (docker: string) =>
  spawnSync(docker, ['version'], { stdio: 'ignore', timeout: 10_000 }).status === 0

/**
 * The engine of DOCKER_HOST or of this machine, when it answers; else a private one in `.caravan/engine`, with Debian's packages, by
 * root. Sets DOCKER_HOST for this process and its children. Throws when there is none.
 */
export const provideEngine = async (log: (line: string) => void): Promise<Engine> => {
  if (!findDocker() && canInstall()) install(['docker.io', 'iptables'], log)
  const docker = findDocker()
  if (!docker) throw new Error('install Docker with buildx')
  if (answers(docker)) return { docker, release: async () => {} }
  const dockerd = findProgram('dockerd')
  if (!dockerd || process.getuid?.() !== 0)
    throw new Error('no Docker engine answers: start one, or become root, who may start a private one')
  const engine = privateEngine(dockerd, join(repository, '.caravan/engine'))
  process.env.DOCKER_HOST = engine.host
  log(`no Docker engine answers: starting one, ${engine.host}`)
  await engine.start(docker)
  return {
    docker,
    restart: async () => {
      await engine.stop()
      await engine.start(docker)
    },
    release: async (keep) => {
      await engine.stop()
      if (!keep) rmSync(engine.folder, { recursive: true, force: true })
    },
  }
}

const privateEngine = (dockerd: string, folder: string) => {
  const pidFile = join(folder, 'pid')
  const host = `unix://${join(folder, 'docker.sock')}`
  const pid = () => (existsSync(pidFile) ? Number(readFileSync(pidFile, 'utf8')) : 0)
  const stop = async () => {
    const running = pid()
    if (!running || !isAlive(running)) return
    process.kill(running, 'SIGTERM')
    while (isAlive(running)) await sleep(100)
  }
  const start = async (docker: string) => {
    mkdirSync(folder, { recursive: true })
    const log = openSync(join(folder, 'log'), 'a')
    const own = ['data-root', 'exec-root'].flatMap((what) => [`--${what}`, join(folder, what)])
    const child = spawn(dockerd, [...own, '--host', host, '--pidfile', pidFile, '--log-level', 'warn'], {
      ...{ detached: true, stdio: ['ignore', log, log] },
    })
    let ended = false
    child.on('exit', () => {
      ended = true
    })
    child.unref()
    while (!answers(docker)) {
      if (ended) throw new Error(`the Docker engine did not start: see ${folder}/log`)
      await sleep(200)
    }
  }
  return { host, folder, start, stop }
}
