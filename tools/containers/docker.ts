import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { provideGoTool } from '../launcher/go-tool.ts'
import { repository } from '../launcher/stack-file.ts'

const answers = (file: string, ...args: string[]) =>
  spawnSync(file, args, { stdio: 'ignore', timeout: 10_000 }).status === 0

const versionOf = (docker: string): number => {
  const { stdout = '' } = spawnSync(docker, ['--version'], { encoding: 'utf8' })
  return Number(/version (\d+)/.exec(stdout)?.[1])
}

/** A client that builds with BuildKit: by its plugin buildx, or by itself, as it did before version 23. Undefined where there is none. */
export const findDocker = (): string | undefined =>
  [...(process.env.PATH ?? '').split(delimiter), '/usr/bin']
    .map((folder) => join(folder, 'docker'))
    .find((docker) => existsSync(docker) && (answers(docker, 'buildx', 'version') || versionOf(docker) < 23))

/** Runs Docker, or Compose, and gives what it prints; throws with the end of what it complains of. */
export const capture = (
  command: readonly string[],
  env: Record<string, string> = {},
  input?: string,
): string => {
  const [file = '', ...args] = command
  const { status, stdout, stderr, error } = spawnSync(file, args, {
    ...{ encoding: 'utf8', env: { ...process.env, ...env }, maxBuffer: 64 * 2 ** 20, cwd: repository },
    ...(input === undefined ? {} : { input }),
  })
  if (status !== 0)
    throw new Error(
      `${command.slice(0, 4).join(' ')}: ${error?.message ?? (stderr || stdout).trim().split('\n').slice(-12).join('\n')}`,
    )
  return stdout.trim()
}

/** The command that Compose is: Docker's plugin, `docker-compose` of version 2, or one that is built with Go, once per machine. Throws without Go. */
export const provideCompose = async (log: (line: string) => void): Promise<string[]> => {
  const docker = findDocker()
  if (docker && answers(docker, 'compose', 'version')) return [docker, 'compose']
  const { stdout = '' } = spawnSync('docker-compose', ['version', '--short'], { encoding: 'utf8' })
  if (/^v?[2-9]/.test(stdout)) return ['docker-compose']
  return [await provideGoTool(repository, 'compose', log)]
}
