import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { daprVersion } from '../../tools/launcher/dapr-binaries.ts'
import type { Stack } from '../../tools/launcher/stack.ts'
import { repository } from '../../tools/launcher/stack-file.ts'
import { inDatabase } from '../support/in-database.ts'

export const git = (...args: string[]) =>
  execFileSync('git', args, { cwd: repository, encoding: 'utf8' }).trim()

/** The short hash; what is not committed is said, since then the figures are not of that commit. */
export const describeCommit = (): string => {
  const changed = git('status', '--porcelain', '--', ':!docs/measurements.md') !== ''
  return git('rev-parse', '--short', 'HEAD') + (changed ? ' with uncommitted changes' : '')
}

export const mysqlVersionOf = async ({ mysqlAdminUrl }: Stack): Promise<string> => {
  const [row] = await inDatabase<{ v: string }>(mysqlAdminUrl, 'orders', 'SELECT VERSION() AS v')
  return String(row?.v)
}

export const describeMachine = (mysqlVersion: string | undefined): string => {
  const system = /^PRETTY_NAME="?([^"\n]+)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1]
  return [
    `${cpus().length} cores (${cpus()[0]?.model.trim()})`,
    `${Math.round(totalmem() / 2 ** 30)} GiB`,
    ...[
      system,
      `Node ${process.version.slice(1)}`,
      `Dapr ${daprVersion(repository)}`,
      mysqlVersion ?? [],
    ].flat(),
  ].join(', ')
}
