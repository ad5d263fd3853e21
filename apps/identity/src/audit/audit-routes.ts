import { auditEvents, listAuditEntries, verifyAuditLog } from '@caravan/contracts/audit'
import { type Route, route } from '@caravan/service-kit/route'
import { type Subscription, subscription } from '@caravan/service-kit/subscription'
import { pageBy } from '../page-by.ts'
import type { AuditLog } from './audit-log-store.ts'

export const auditRoutes = (log: AuditLog): readonly Route[] => [
  route(listAuditEntries, async ({ query: { limit, ...where } }) =>
    pageBy(await log.list({ ...where, limit: limit + 1 }), limit, ({ seq }) => String(seq)),
  ),

  route(verifyAuditLog, () => log.verify()),
]

export const auditSubscriptions = (log: AuditLog): readonly Subscription[] =>
  auditEvents.map((definition) => subscription(definition, (entry, { tx }) => log.append(tx, entry)))
