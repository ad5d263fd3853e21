import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { canInstall, install } from './apt.ts'
import { inherited } from './environment.ts'
import { findProgram } from './programs.ts'
import type { ProcessSpec } from './supervised-process.ts'

export type BackingOptions = {
  dir: string
  mysqlData: string
  logs: string
  ports: { mysql: number; redis: number }
  mysqlAdminPassword: string
  redisPassword: string
  binaryLog: boolean
}

const images = { mysql: 'mysql:8.4', redis: 'redis:7' }

// A commit that was answered is on disk: flush-log-at-trx-commit stays 1.
const mysqlSettings = [
  '--max-connections=400',
  '--innodb-buffer-pool-size=256M',
  '--innodb-flush-log-at-trx-commit=1',
  '--character-set-server=utf8mb4',
  '--collation-server=utf8mb4_unicode_ci',
  '--default-time-zone=+00:00',
  '--skip-name-resolve',
]
// MySQL 8.4 has it anyway, MariaDB only when told.
const binaryLog = ['--log-bin=binlog', '--binlog-format=ROW', '--sync-binlog=1', '--server-id=1']
const settingsOf = (options: BackingOptions) => [...mysqlSettings, ...(options.binaryLog ? binaryLog : [])]
const redisSettings = ['--appendonly', 'yes', '--appendfsync', 'everysec', '--save', '']

const succeeds = (file: string, args: string[], timeout?: number) =>
  spawnSync(file, args, { stdio: 'ignore', timeout, killSignal: 'SIGKILL' }).status === 0

export const dockerAnswers = (): boolean => succeeds('docker', ['info'], 3000)

export const localServers = () => ({
  mysql: findProgram('mariadbd', 'mysqld'),
  redis: findProgram('redis-server'),
})

const haveImages = (log: (line: string) => void) =>
  Object.values(images).every((image) => {
    if (succeeds('docker', ['image', 'inspect', image])) return true
    log(`pulling ${image}`)
    return succeeds('docker', ['pull', '--quiet', image])
  })

/**
 * How to run MySQL and Redis here: in containers when a Docker engine answers, else by installed programs with data of
 * their own below `dir`, else after installing those with apt-get where that is allowed. Throws when nothing is possible.
 */
export const provideBacking = (options: BackingOptions, log: (line: string) => void): ProcessSpec[] => {
  if (dockerAnswers() && haveImages(log)) return containers(options)
  if (!Object.values(localServers()).every(Boolean) && canInstall())
    install(['mariadb-server', 'redis-server'], log)
  const { mysql, redis } = localServers()
  if (!mysql || !redis)
    throw new Error(
      'MySQL and Redis are needed: start Docker, or install mariadb-server (or MySQL 8.4) and redis-server',
    )
  return [localMysql(mysql, options), localRedis(redis, options)]
}

const specs = ({ ports, logs, dir }: BackingOptions) => ({
  mysql: {
    name: 'mysql',
    ports: { mysql: ports.mysql },
    probe: { port: ports.mysql, send: '' },
    logFile: join(logs, 'mysql.log'),
    cwd: dir,
    env: inherited(),
  },
  redis: {
    name: 'redis',
    ports: { redis: ports.redis },
    probe: { port: ports.redis, send: 'PING\r\n' },
    logFile: join(logs, 'redis.log'),
    cwd: dir,
    env: inherited(),
  },
})

// Two checkouts may have a stack of the same name.
const containerName = (dir: string, service: string) =>
  `caravan-${basename(dir)}-${service}-${createHash('sha256').update(dir).digest('hex').slice(0, 8)}`

const containers = (options: BackingOptions): ProcessSpec[] => {
  const { dir, ports, mysqlAdminPassword, redisPassword } = options
  const { mysql, redis } = specs(options)
  // Volumes of a folder that was deleted by hand know other passwords.
  const marker = join(dir, 'containers')
  if (!existsSync(marker)) removeVolumes(dir)
  writeFileSync(marker, '')
  const run = (service: string, port: number, inside: number, data: string) => {
    const name = containerName(dir, service)
    succeeds('docker', ['rm', '-f', name])
    const publish = ['--publish', `127.0.0.1:${port}:${inside}`, '--volume', `${name}:${data}`]
    return ['run', '--rm', '--name', name, ...publish]
  }
  return [
    {
      ...mysql,
      file: 'docker',
      container: containerName(dir, 'mysql'),
      env: { ...mysql.env, MYSQL_ROOT_PASSWORD: mysqlAdminPassword },
      args: [
        ...run('mysql', ports.mysql, 3306, '/var/lib/mysql'),
        ...['--env', 'MYSQL_ROOT_PASSWORD', images.mysql],
        ...settingsOf(options),
      ],
    },
    {
      ...redis,
      file: 'docker',
      container: containerName(dir, 'redis'),
      args: [
        ...run('redis', ports.redis, 6379, '/data'),
        ...[images.redis, 'redis-server', '--requirepass', redisPassword],
        ...redisSettings,
      ],
    },
  ]
}

/** Removes what containers of a stopped stack have kept. */
export const removeVolumes = (dir: string): void => {
  if (!dockerAnswers()) return
  for (const service of ['mysql', 'redis'])
    succeeds('docker', ['volume', 'rm', '--force', containerName(dir, service)])
}

const localMysql = (server: string, options: BackingOptions): ProcessSpec => {
  const { dir, mysqlData: data, ports, mysqlAdminPassword } = options
  const user = process.getuid?.() === 0 ? ['--user=root'] : []
  if (!existsSync(data)) createDataFolder(server, data, user)
  // Its own: a server that starts removes the temporary tables that it finds, also another server's.
  const temporary = join(dir, 'mysql-tmp')
  mkdirSync(temporary, { recursive: true })
  const initFile = join(dir, 'mysql-admin.sql')
  const admin = `'root'@'%' IDENTIFIED BY '${mysqlAdminPassword}'`
  const statements = [
    `CREATE USER IF NOT EXISTS ${admin}`,
    `ALTER USER ${admin}`,
    `GRANT ALL PRIVILEGES ON *.* TO 'root'@'%' WITH GRANT OPTION`,
    `ALTER USER 'root'@'localhost' IDENTIFIED BY '${mysqlAdminPassword}'`,
  ]
  writeFileSync(initFile, statements.map((statement) => `${statement};\n`).join(''), { mode: 0o600 })
  return {
    ...specs(options).mysql,
    file: server,
    // The socket's path is relative to the data folder: a deep checkout would exceed the length that sockets allow.
    args: [
      ...['--no-defaults', ...user, `--datadir=${data}`, `--port=${ports.mysql}`, '--bind-address=127.0.0.1'],
      ...['--socket=mysql.sock', '--pid-file=mysql.pid', '--loose-mysqlx=0', `--init-file=${initFile}`],
      `--tmpdir=${temporary}`,
      ...settingsOf(options),
    ],
  }
}

/** Made beside its place and moved there, so that an interrupted start leaves no half of it. */
const createDataFolder = (server: string, data: string, user: string[]) => {
  const unfinished = `${data}.new`
  rmSync(unfinished, { recursive: true, force: true })
  const installer = findProgram('mariadb-install-db', 'mysql_install_db')
  const made = installer
    ? spawnSync(installer, ['--no-defaults', `--datadir=${unfinished}`, '--skip-test-db', ...user], {
        encoding: 'utf8',
      })
    : spawnSync(server, ['--no-defaults', '--initialize-insecure', `--datadir=${unfinished}`, ...user], {
        encoding: 'utf8',
      })
  if (made.status !== 0)
    throw new Error(`the database's folder could not be made:\n${made.stdout}${made.stderr}`)
  renameSync(unfinished, data)
}

const localRedis = (server: string, options: BackingOptions): ProcessSpec => {
  const { dir, ports, redisPassword } = options
  const data = join(dir, 'redis')
  mkdirSync(data, { recursive: true })
  // The password is in a file of ours, not on the command line, where every user of the machine could read it.
  const configuration = join(dir, 'redis.conf')
  writeFileSync(configuration, `requirepass ${redisPassword}\n`, { mode: 0o600 })
  chmodSync(configuration, 0o600)
  return {
    ...specs(options).redis,
    file: server,
    args: [
      configuration,
      '--port',
      String(ports.redis),
      '--bind',
      '127.0.0.1',
      '--dir',
      data,
      ...redisSettings,
    ],
  }
}
