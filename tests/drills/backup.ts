import { execFile, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { inherited } from '../../tools/launcher/environment.ts'
import type { Stack } from '../../tools/launcher/stack.ts'
import { repository } from '../../tools/launcher/stack-file.ts'
import { inDatabase } from '../support/in-database.ts'

/** Commands of docs/operations.md, as an operator reads them there. */
const commandsOf = (name: 'backup' | 'backup-log' | 'restore' | 'restore-log'): string => {
  const text = readFileSync(join(repository, 'docs/operations.md'), 'utf8')
  const [, commands] = new RegExp(`<!-- ${name} -->\\n\`\`\`sh\\n([\\s\\S]+?)\`\`\``).exec(text) ?? []
  if (!commands) throw new Error(`docs/operations.md has no commands for ${name}`)
  return commands
}

/** A back-up of a stack's databases, in a folder of its own, by the client programs of the server. */
export const openBackup = (stack: Stack) => {
  const folder = mkdtempSync(join(stack.dir, 'backup-'))
  const admin = join(folder, 'admin.cnf')
  const { hostname, port, username, password } = new URL(stack.mysqlAdminUrl)
  const settings = { protocol: 'tcp', host: hostname, port, user: username, password }
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`)
  writeFileSync(admin, `[client]\n${lines.join('')}`, { mode: 0o600 })

  const shell = (name: Parameters<typeof commandsOf>[0]) => ['-e', '-c', commandsOf(name)]
  const options = { cwd: folder, env: { ...inherited(), ADMIN: admin, BACKUP: folder } }
  const run = async (name: 'backup' | 'restore' | 'restore-log'): Promise<number> => {
    const begun = performance.now()
    await promisify(execFile)('sh', shell(name), options)
    return Math.round(performance.now() - begun)
  }

  /** Copies the log until `end`, which waits for what was committed by then. */
  const follow = () => {
    const copying = spawn('sh', shell('backup-log'), { ...options, stdio: 'ignore' })
    const kill = () => copying.kill()
    process.once('exit', kill)
    const end = async (): Promise<void> => {
      // So that all files but the new one are written to their ends.
      await inDatabase(stack.mysqlAdminUrl, '', 'FLUSH BINARY LOGS')
      const logs = await inDatabase<{ Log_name: string; File_size: number }>(
        ...([stack.mysqlAdminUrl, '', 'SHOW BINARY LOGS'] as const),
      )
      const first = readdirSync(folder).filter((name) => name.startsWith('binlog.'))[0] ?? ''
      const complete = logs.slice(0, -1).filter(({ Log_name }) => Log_name >= first)
      await eventually('the log is copied', () =>
        complete.every(({ Log_name, File_size }) => {
          const copy = statSync(join(folder, Log_name), { throwIfNoEntry: false })
          return copy?.size === Number(File_size)
        }),
      )
      kill()
      process.removeListener('exit', kill)
    }
    return { end }
  }

  return {
    take: () => run('backup'),
    follow,
    restore: () => run('restore'),
    replayLog: () => run('restore-log'),
    bytes: (): number => statSync(join(folder, 'shop.sql')).size,
  }
}

export type Backup = ReturnType<typeof openBackup>
