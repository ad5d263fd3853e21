import { spawn } from 'node:child_process'
import { repository } from './stack-file.ts'

export type Run = { env?: Record<string, string>; signal?: AbortSignal }

/** Runs a program of node_modules/.bin in the repository, its output on ours, and resolves with its exit code. */
export const run = (program: string, args: string[], { env = {}, signal }: Run = {}): Promise<number> =>
  new Promise((done, failed) => {
    const child = spawn(`${repository}/node_modules/.bin/${program}`, args, {
      cwd: repository,
      env: { ...process.env, ...env },
      stdio: 'inherit',
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
