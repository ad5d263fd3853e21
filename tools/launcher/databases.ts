import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import mysql from 'mysql2/promise'
import { databasePassword, type Secrets } from './secrets.ts'

/** The services that keep a database: those with a `migrations` folder. */
export const servicesWithDatabase = (root: string): string[] =>
  readdirSync(join(root, 'apps')).filter((app) => existsSync(join(root, 'apps', app, 'migrations')))

/**
 * One database and one user for each service, who may touch nothing else; running it again changes nothing but makes the
 * passwords those of `secrets`.
 */
export const prepareDatabases = async (
  adminUrl: string,
  services: string[],
  secrets: Secrets,
): Promise<void> => {
  if (services.length === 0) return
  const connection = await mysql.createConnection({ uri: adminUrl, multipleStatements: true })
  const statements = services.flatMap((service) => {
    const user = `${mysql.escape(service)}@'%'`
    const password = mysql.escape(databasePassword(secrets, service))
    return [
      `CREATE DATABASE IF NOT EXISTS ${mysql.escapeId(service)} CHARACTER SET utf8mb4`,
      `CREATE USER IF NOT EXISTS ${user} IDENTIFIED BY ${password}`,
      `ALTER USER ${user} IDENTIFIED BY ${password}`,
      `GRANT ALL PRIVILEGES ON ${mysql.escapeId(service)}.* TO ${user}`,
    ]
  })
  try {
    await connection.query(statements.join(';'))
  } finally {
    await connection.end()
  }
}
