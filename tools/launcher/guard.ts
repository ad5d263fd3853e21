import { spawn, spawnSync } from 'node:child_process'

export type Guard = ReturnType<typeof openGuard>

const hasSetpriv = () => spawnSync('setpriv', ['--pdeathsig', 'SIGKILL', '--', 'true']).status === 0

/**
 * Sees to it that nothing outlives this process, however it ends. On Linux the kernel kills each child (a parent-death
 * signal, kept across exec). Elsewhere, and for containers, a shell reads from a pipe what is running, and ends the
 * last of it when the pipe closes.
 */
export const openGuard = () => {
  const kernel = hasSetpriv()
  const shell = spawn('sh', ['-c', 'last=; while read -r line; do last=$line; done; eval "$last"'], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  shell.unref()
  shell.stdin.on('error', () => {})
  const running = new Map<string, string>()
  const tell = () => shell.stdin.write(`${[...running.values()].join('; ')}\n`)
  return {
    wrap: (command: readonly string[]): readonly string[] =>
      kernel ? ['setpriv', '--pdeathsig', 'SIGKILL', '--', ...command] : command,
    started: (name: string, pid: number, container?: string) => {
      if (container) running.set(name, `docker rm -f ${container}`)
      else if (!kernel) running.set(name, `kill -9 -${pid}`)
      tell()
    },
    ended: (name: string) => {
      running.delete(name)
      tell()
    },
    close: () => void shell.stdin.end(),
  }
}
