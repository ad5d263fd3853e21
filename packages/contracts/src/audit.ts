import { z } from 'zod'
import { id, instant, limit, printable, visible, wholeNumber } from './common.ts'
import { event } from './event.ts'
import { operation } from './operation.ts'

const app = 'identity'
const access = { roles: ['operator'] } as const

/** Who did what to what, from where, with what outcome. */
export const auditEntry = z.object({
  id,
  at: instant,
  /** The account's or app's id, or `anonymous`. */
  actor: z.string().max(100),
  /** The operation's id. */
  action: z.string().max(100),
  /** The path, or what the operation's owner calls it. */
  object: z.string().max(200),
  /** `started`, before an administrative action; then the status that it was answered with. */
  outcome: z.string().max(40),
  /** Of the client, as the gateway saw it. */
  address: z.string().max(45),
  traceId: z.string().max(32),
})
export type AuditEntry = z.infer<typeof auditEntry>

/** Apps whose administrative actions identity hears of by event; its own it writes down itself. */
export const auditedApps = ['catalog', 'inventory', 'carts', 'orders', 'payments', 'promotions'] as const

const example = {
  id: '0192f3a4-5b6c-7d8e-8f90-a1b2c3d4e5f6',
  at: '2026-01-01T00:00:00.000Z',
  actor: '0192f3a4-5b6c-7d8e-8f90-a1b2c3d4e5f6',
  action: 'adjustStock',
  object: '/v1/stock/GAIWAN-WHITE/adjustments/0192f3a4-5b6c-7d8e-8f90-a1b2c3d4e5f6',
  outcome: '200',
  address: '203.0.113.7',
  traceId: '',
}

export const auditEvents = auditedApps.map((audited) =>
  event({
    topic: `${audited}.audited`,
    publisher: audited,
    summary: `Somebody administered ${audited}`,
    data: auditEntry,
    key: ({ actor }) => actor,
    example,
  }),
)

export const listAuditEntries = operation({
  app,
  id: 'listAuditEntries',
  method: 'GET',
  path: '/v1/audit-entries',
  summary: 'The audit log, newest first; `before` is the `next` of the page before',
  access,
  status: 200,
  query: z.strictObject({
    actor: printable(100).optional(),
    object: printable(200).optional(),
    action: visible.optional(),
    before: wholeNumber(1, Number.MAX_SAFE_INTEGER).optional(),
    limit,
  }),
  response: z.object({
    data: z.array(z.object({ ...auditEntry.shape, seq: z.int(), hash: z.string() })),
    hasMore: z.boolean(),
    next: z.string().optional(),
  }),
})

export const verifyAuditLog = operation({
  app,
  id: 'verifyAuditLog',
  method: 'GET',
  path: '/v1/audit-log-check',
  summary: 'Follows the chain of hashes; `brokenAt` is the first entry that is not as it was written',
  access,
  status: 200,
  response: z.object({ entries: z.int(), brokenAt: z.int().optional() }),
})

export const auditOperations = [listAuditEntries, verifyAuditLog] as const
