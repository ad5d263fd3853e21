import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { connect, type Database, migrate, type PoolOptions } from '../database.ts'

/** A folder of migrations that holds none. */
export const emptyFolder = async (): Promise<URL> =>
  pathToFileURL(`${await mkdtemp(join(tmpdir(), 'migrations-'))}/`)

/** Filling a table may take a while, and a busy machine its time. */
const patient: PoolOptions = { statementSeconds: 120, connectMs: 60_000 }

/**
 * A new database with a random name on the server of TEST_MYSQL_URL, migrated to the kit's tables and those of
 * `migrations`. Throws when the variable is missing.
 */
export const createTestDatabase = async (migrations?: URL) => {
  const server = process.env.TEST_MYSQL_URL
  if (!server) throw new Error('TEST_MYSQL_URL is missing: the admin URL of a MySQL or MariaDB for tests')
  const name = `test_${randomBytes(8).toString('hex')}`
  const url = new URL(server)
  const admin = connect(url.href, { ...patient, size: 1 })
  url.pathname = `/${name}`
  const pools: Database[] = []
  /** A pool of its own, as another replica has. */
  const open = (options?: PoolOptions): Database => {
    const db = connect(url.href, { ...patient, ...options })
    pools.push(db)
    return db
  }
  const drop = async (): Promise<void> => {
    await Promise.all(pools.map((pool) => pool.destroy()))
    await admin.raw('DROP DATABASE ??', [name])
    await admin.destroy()
  }
  await admin.raw('CREATE DATABASE ?? CHARACTER SET utf8mb4', [name])
  const db = open()
  const folder = migrations ?? (await emptyFolder())
  try {
    await migrate(db, folder)
  } catch (error) {
    await drop()
    throw error
  } finally {
    if (!migrations) await rm(folder, { recursive: true })
  }
  return { db, url: url.href, open, drop }
}

export type TestDatabase = Awaited<ReturnType<typeof createTestDatabase>>
