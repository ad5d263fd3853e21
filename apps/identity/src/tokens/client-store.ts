import type { Client } from '@caravan/contracts/clients'
import type { Database } from '@caravan/service-kit/database'
import { newId } from '@caravan/service-kit/ids'
import { hashOf, isSame, randomToken } from '../derive.ts'

interface Row {
  id: string
  name: string
  secret_hash: string
  created_at: Date
}

const fromRow = ({ id, name, created_at }: Row): Client => ({ id, name, createdAt: created_at.toISOString() })

export const createClientStore = (db: Database) => ({
  create: async (name: string): Promise<Client & { readonly secret: string }> => {
    const [id, secret, createdAt] = [newId(), randomToken(), new Date()]
    await db('clients').insert({ id, name, secret_hash: hashOf(secret), created_at: createdAt })
    return { id, name, secret, createdAt: createdAt.toISOString() }
  },

  list: async (): Promise<Client[]> => {
    const rows: Row[] = await db('clients').orderBy('id', 'desc').limit(100)
    return rows.map(fromRow)
  },

  remove: async (id: string): Promise<void> => {
    await db('clients').where({ id }).delete()
  },

  knows: async (id: string, secret: string): Promise<boolean> => {
    const row: Row | undefined = await db('clients').where({ id }).first()
    return isSame(hashOf(secret), row?.secret_hash ?? '')
  },
})

export type ClientStore = ReturnType<typeof createClientStore>
