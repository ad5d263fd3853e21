import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import mysql from 'mysql2/promise'
import type { Secrets } from './secrets.ts'
import { databaseStatements } from './shop-secrets.mjs'

/** The services that keep a database: those with a `migrations` folder. */
export const servicesWithDatabase = (root: string): string[] =>
  readdirSync(join(root, 'apps')).filter((app) => existsSync(join(root, 'apps', app, 'migrations')))

/** Makes the database and the user of each service, with the passwords of `secrets`. */
export const prepareDatabases = async (
  adminUrl: string,
  services: string[],
  secrets: Secrets,
): Promise<void> => {
  if (services.length === 0) return
  const connection = await mysql.createConnection({
    uri: adminUrl,
    multipleStatements: true,
    connectTimeout: 60_000,
  })
  try {
    await connection.query(databaseStatements(secrets, services).join(';'))
  } finally {
    await connection.end()
  }
}
