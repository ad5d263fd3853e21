import { spawn } from 'node:child_process'
import { repository } from './stack-file.ts'

export type Run = {
  env?: Record<string, string>
  signal?: AbortSignal
  /** A file descriptor that takes what the program prints; our own output unless it is given. */
  output?: number | undefined
}

/** Runs a program of node_modules/.bin in the repository, and resolves with its exit code. */
export const run = (
  program: string,
  args: string[],
  { env = {}, signal, output }: Run = {},
): Promise<number> =>
  new Promise((done, failed) => {
    const child = spawn(`${repository}/node_modules/.bin/${program}`, args, {
      cwd: repository,
      env: { ...process.env, ...env },
      stdio: output === undefined ? 'inherit' : ['ignore', output, output],
    })
    const end = () => void child.kill('SIGTERM')
    if (signal?.aborted) end()
    signal?.addEventListener('abort', end)
    child.on('error', failed)
    child.on('exit', (code) => {
      signal?.removeEventListener('abort', end)
      done(code ?? 1)
    })
  })
