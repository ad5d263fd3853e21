import { isDeepStrictEqual } from 'node:util'
import { type Database, type Transaction, transaction } from '@caravan/service-kit/database'
import type { Precondition } from '@caravan/service-kit/precondition'

interface Row {
  version: number
  content: string
  updated_at: Date | null
}

/** The schema of what an editor writes. */
interface Written<C> {
  readonly strip: () => { readonly parse: (value: unknown) => C }
}

type Settings<C> = C & { readonly version: number; readonly updatedAt?: string }

/** Settings that are one document, in the only row of their table; `changed` joins the transaction of each change. */
export const createSettingsStore = <C extends object>(
  db: Database,
  table: 'pricing' | 'invoicing',
  written: Written<C>,
  changed: (tx: Transaction) => Promise<void> = async () => undefined,
) => {
  const present = ({ version, content, updated_at }: Row): Settings<C> => ({
    ...(JSON.parse(content) as C),
    version,
    ...(updated_at ? { updatedAt: updated_at.toISOString() } : {}),
  })

  const get = async (): Promise<Settings<C>> => present(await db(table).where({ id: 1 }).first())

  /** Replaces them. The same content again changes nothing. Throws 412. */
  const put = (content: C, precondition: Precondition): Promise<Settings<C>> =>
    transaction(db, async (tx) => {
      const row: Row = await tx(table).where({ id: 1 }).forUpdate().first()
      const current = present(row)
      precondition(current)
      if (isDeepStrictEqual(written.strip().parse(current), content)) return current
      const next: Row = {
        version: row.version + 1,
        content: JSON.stringify(content),
        updated_at: new Date(),
      }
      await tx(table).where({ id: 1 }).update(next)
      await changed(tx)
      return present(next)
    })

  return { get, put }
}
