import mysql from 'mysql2/promise'
import { stack } from './stack.ts'

/** Reads (and, to stage a fault, writes) a service's database behind its back. */
export const inDatabase = async <T = Record<string, unknown>>(
  url: string,
  app: string,
  sql: string,
  values: unknown[] = [],
): Promise<T[]> => {
  const connection = await mysql.createConnection({ uri: url, database: app, timezone: 'Z' })
  try {
    const [rows] = await connection.query(sql, values)
    return rows as T[]
  } finally {
    await connection.end()
  }
}

export const sql = <T = Record<string, unknown>>(
  app: string,
  statement: string,
  values: unknown[] = [],
): Promise<T[]> => inDatabase<T>(stack.mysqlAdminUrl, app, statement, values)
