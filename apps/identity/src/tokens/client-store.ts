import type { Client } from '@caravan/contracts/clients'
import { type Database, transaction } from '@caravan/service-kit/database'
import { newId } from '@caravan/service-kit/ids'
import type { Outbox } from '@caravan/service-kit/outbox'
import type { AccessStore } from '../access/access-store.ts'
import { hashOf, isSame, randomToken } from '../derive.ts'

interface Row {
  id: string
  name: string
  secret_hash: string
  created_at: Date
}

const fromRow = ({ id, name, created_at }: Row): Client => ({ id, name, createdAt: created_at.toISOString() })

interface Parts {
  readonly access: Pick<AccessStore, 'forget'>
  readonly outbox: Pick<Outbox, 'wake'>
}

export const createClientStore = (db: Database, { access, outbox }: Parts) => ({
  create: async (name: string): Promise<Client & { readonly secret: string }> => {
    const [id, secret, createdAt] = [newId(), randomToken(), new Date()]
    await db('clients').insert({ id, name, secret_hash: hashOf(secret), created_at: createdAt })
    return { id, name, secret, createdAt: createdAt.toISOString() }
  },

  /** Newest first, those that came before `after`. */
  list: async (limit: number, after?: string): Promise<Client[]> => {
    const query = db('clients').orderBy('id', 'desc').limit(limit)
    if (after !== undefined) query.where('id', '<', after)
    const rows: Row[] = await query
    return rows.map(fromRow)
  },

  has: async (id: string): Promise<boolean> => (await db('clients').where({ id }).first('id')) !== undefined,

  /** With its roles, bans and the tokens that are out. A repeat changes nothing. */
  remove: async (by: string, id: string): Promise<void> => {
    await transaction(db, async (tx) => {
      if ((await tx('clients').where({ id }).delete()) === 1) await access.forget(tx, by, id)
    })
    outbox.wake()
  },

  knows: async (id: string, secret: string): Promise<boolean> => {
    const row: Row | undefined = await db('clients').where({ id }).first()
    return isSame(hashOf(secret), row?.secret_hash ?? '')
  },
})

export type ClientStore = ReturnType<typeof createClientStore>
