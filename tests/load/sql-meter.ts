import { inDatabase } from '../support/in-database.ts'

export interface TableSize {
  readonly rows: number
  /** Of the tablespace's file. */
  readonly kiB: number
}

const statements = [
  'Questions',
  'Com_select',
  'Com_insert',
  'Com_update',
  'Com_delete',
  'Com_begin',
  'Com_commit',
]
const more = [
  'Com_rollback',
  'Com_stmt_prepare',
  'Com_stmt_execute',
  'Innodb_os_log_fsyncs',
  'Innodb_data_fsyncs',
]
const kept = ['outbox', 'inbox', 'idempotency_keys']

/** The server's counters since it started, for all clients of all databases, these questions among them. */
export const readStatements = async (adminUrl: string): Promise<Record<string, number>> => {
  const rows = await inDatabase<{ Variable_name: string; Value: string }>(
    ...[
      adminUrl,
      'information_schema',
      'SHOW GLOBAL STATUS WHERE Variable_name IN (?)',
      [[...statements, ...more]],
    ],
  )
  return Object.fromEntries(rows.map(({ Variable_name, Value }) => [Variable_name, Number(Value)]))
}

/** Rows and size of each service's outbox, inbox and idempotency records, by `<service>.<table>`. */
export const readTableSizes = async (adminUrl: string): Promise<Record<string, TableSize>> => {
  const found = await inDatabase<{ app: string; name: string }>(
    adminUrl,
    'information_schema',
    'SELECT TABLE_SCHEMA AS app, TABLE_NAME AS name FROM TABLES WHERE TABLE_NAME IN (?) ORDER BY 1, 2',
    [kept],
  )
  const bytes = await fileSizes(adminUrl)
  const sizes = found.map(async ({ app, name }): Promise<[string, TableSize]> => {
    const [counted] = await inDatabase<{ n: number }>(adminUrl, app, `SELECT COUNT(*) AS n FROM ${name}`)
    return [
      `${app}.${name}`,
      { rows: Number(counted?.n), kiB: (bytes.get(`${app}/${name}`) ?? Number.NaN) / 1024 },
    ]
  })
  return Object.fromEntries(await Promise.all(sizes))
}

/** Bytes of each service's tables and their indexes. They grow by whole extents, of a megabyte: a short load says little. */
export const readDatabaseSizes = async (adminUrl: string): Promise<Record<string, number>> => {
  const ask = <T>(statement: string, values: unknown[] = []) =>
    inDatabase<T>(adminUrl, 'information_schema', statement, values)
  const tables = await ask<{ app: string; name: string }>(
    `SELECT TABLE_SCHEMA AS app, TABLE_NAME AS name FROM TABLES
     WHERE TABLE_SCHEMA IN (SELECT TABLE_SCHEMA FROM TABLES WHERE TABLE_NAME = 'outbox')`,
  )
  // The lengths are those of the last time that somebody counted.
  if (tables.length > 0)
    await ask(`ANALYZE TABLE ${tables.map(({ app, name }) => `\`${app}\`.\`${name}\``).join()}`)
  const sizes = await ask<{ app: string; bytes: string }>(
    'SELECT TABLE_SCHEMA AS app, SUM(DATA_LENGTH + INDEX_LENGTH) AS bytes FROM TABLES WHERE TABLE_SCHEMA IN (?) GROUP BY 1',
    [[...new Set(tables.map(({ app }) => app)), '']],
  )
  return Object.fromEntries(sizes.map(({ app, bytes }) => [app, Number(bytes)]))
}

/** MySQL 8 and MariaDB name the view differently. */
const fileSizes = async (adminUrl: string): Promise<Map<string, number>> => {
  const from = (view: string) =>
    inDatabase<{ name: string; bytes: number }>(
      adminUrl,
      'information_schema',
      `SELECT NAME AS name, FILE_SIZE AS bytes FROM ${view}`,
    )
  const rows = await from('INNODB_TABLESPACES').catch(() => from('INNODB_SYS_TABLESPACES'))
  return new Map(rows.map(({ name, bytes }) => [name, Number(bytes)]))
}
