import { type AuditEntry, auditEvents } from '@caravan/contracts/audit'
import type { Operation } from '@caravan/contracts/operation'
import { clientOf } from './client.ts'
import { type Database, transaction } from './database.ts'
import { newId } from './ids.ts'
import { fact, type Outbox, toCloudEvent } from './outbox.ts'
import type { Sidecar } from './sidecar.ts'
import { currentTrace, traceparent } from './trace.ts'

/** Resolves when the entry is sure to come into the audit log. */
export type Audit = (entry: AuditEntry) => Promise<void>

/** A change that takes a role: each use belongs into the audit log, before it is done and after. */
export const isAdministrative = ({ method, access }: Pick<Operation, 'method' | 'access'>): boolean =>
  method !== 'GET' && typeof access === 'object' && 'roles' in access

export const auditEntryOf = (
  actor: string,
  what: Pick<AuditEntry, 'action' | 'object' | 'outcome'>,
  headers: Parameters<typeof clientOf>[0],
): AuditEntry => ({
  ...{ id: newId(), at: new Date().toISOString(), actor },
  ...what,
  object: what.object.slice(0, 200),
  address: clientOf(headers).address,
  traceId: currentTrace()?.traceId ?? '',
})

interface Parts {
  readonly name: string
  readonly db: Database | undefined
  readonly outbox: Outbox | undefined
  readonly sidecar: Pick<Sidecar, 'publish'>
}

/** Tells identity, which keeps the log: by the outbox, or straight to the broker where there is none. */
export const createAudit = ({ name, db, outbox, sidecar }: Parts): Audit | undefined => {
  const definition = auditEvents.find(({ publisher }) => publisher === name)
  if (!definition) return undefined
  if (db && outbox)
    return async (entry) => {
      await transaction(db, (tx) => outbox.add(tx, [fact(definition, entry)]))
      outbox.wake()
    }
  const { topic } = definition
  return async (entry) => {
    const { id, at: time, actor: key } = entry
    await sidecar.publish('pubsub', topic, [
      toCloudEvent(name, { id, topic, key, time, data: entry, traceparent: traceparent() }),
    ])
  }
}
