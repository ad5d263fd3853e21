import type { Stack } from '../../tools/launcher/stack.ts'
import { grown, readCounters } from './counters.ts'
import { readDatabaseSizes, readTableSizes, type TableSize } from './sql-meter.ts'

export interface Entries {
  /** That ended well, those of the warm-up too. */
  readonly runs: number
  readonly grown: Record<string, number>
  readonly tables: Record<string, { readonly start: TableSize; readonly end: TableSize | undefined }>
  /** By how many bytes each service's database grew. */
  readonly bytes: Record<string, number>
}

/** None while MySQL is down. */
const sizesOf = (stack: Stack): Promise<Record<string, TableSize>> =>
  readTableSizes(stack.mysqlAdminUrl).catch(() => ({}))
const databasesOf = (stack: Stack): Promise<Record<string, number>> =>
  readDatabaseSizes(stack.mysqlAdminUrl).catch(() => ({}))

/**
 * What the shop counts itself, from when this resolves until `read`: before the first run and after the last, since the
 * reading costs the shop and the generator too much to be done meanwhile, and since no run is then counted by half.
 */
export const openBooks = async (stack: Stack) => {
  const [sizes, databases] = [await sizesOf(stack), await databasesOf(stack)]
  const counters = await readCounters(stack)
  return {
    read: async (runs: number): Promise<Entries> => {
      const [last, end] = [await readCounters(stack), await sizesOf(stack)]
      const tables = Object.entries(sizes).map(([name, start]) => [name, { start, end: end[name] }])
      const bytes = Object.entries(await databasesOf(stack)).map(([service, size]) => [
        service,
        size - (databases[service] ?? size),
      ])
      return {
        ...{ runs, grown: grown(counters, last) },
        ...{ tables: Object.fromEntries(tables), bytes: Object.fromEntries(bytes) },
      }
    },
  }
}
