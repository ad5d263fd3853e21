import mysql, { type Connection } from 'mysql2/promise'
import { servicesWithDatabase } from '../../tools/launcher/databases.ts'
import type { Stack } from '../../tools/launcher/stack.ts'
import { repository } from '../../tools/launcher/stack-file.ts'

/**
 * An empty database for each service, `<prefix>_<service>`: beside the shop's own, on the same server, so that no relay of
 * the shop reads them.
 */
export const ownDatabases = async (
  { mysqlAdminUrl }: Stack,
  prefix: string,
  prepare: (connection: Connection, service: string, database: string) => Promise<void> = async () => {},
): Promise<Record<string, string>> => {
  const connection = await mysql.createConnection(mysqlAdminUrl)
  const urls: Record<string, string> = {}
  try {
    for (const service of servicesWithDatabase(repository)) {
      const name = `${prefix}_${service}`
      await connection.query(`DROP DATABASE IF EXISTS ${name}`)
      await connection.query(`CREATE DATABASE ${name} CHARACTER SET utf8mb4`)
      urls[service] = `${mysqlAdminUrl}/${name}`
      await prepare(connection, service, name)
    }
  } finally {
    await connection.end()
  }
  return urls
}
