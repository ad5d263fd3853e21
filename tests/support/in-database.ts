import mysql from 'mysql2/promise'

/** Runs one statement in a service's database behind its back: to read its books, or to stage a fault. */
export const inDatabase = async <T = Record<string, unknown>>(
  adminUrl: string,
  app: string,
  statement: string,
  values: unknown[] = [],
): Promise<T[]> => {
  const connection = await mysql.createConnection({
    uri: adminUrl,
    database: app,
    timezone: 'Z',
    connectTimeout: 60_000,
  })
  try {
    const [rows] = await connection.query(statement, values)
    return rows as T[]
  } finally {
    await connection.end()
  }
}
