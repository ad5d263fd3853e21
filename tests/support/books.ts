import { inDatabase } from './in-database.ts'
import { stack } from './stack.ts'

/** `inDatabase` of the running stack. */
export const sql = <T = Record<string, unknown>>(app: string, statement: string, values: unknown[] = []) =>
  inDatabase<T>(stack.mysqlAdminUrl, app, statement, values)
