import { setTimeout as pause } from 'node:timers/promises'
import type { Connection } from 'mysql2/promise'
import type { Stack } from '../../tools/launcher/stack.ts'
import { cartsTookOrders, gatewayServesCatalog, nothingGivenUp } from './beyond-sql.ts'
import { leave, openBooks, snapshot, takeApart } from './books.ts'
import { type Channels, readChannels } from './channels.ts'
import { type Check, count, type Finding, run } from './check.ts'
import { readPromises } from './client-promises.ts'
import { eventChecks, unfinishedChecks } from './event-checks.ts'
import { fulfilmentChecks } from './fulfilment-checks.ts'
import { historyChecks } from './history-checks.ts'
import { invoiceChecks } from './invoice-checks.ts'
import { moneyChecks } from './money-checks.ts'
import { onceChecks } from './once-checks.ts'
import { promiseChecks } from './promise-checks.ts'
import { promotionChecks } from './promotion-checks.ts'
import { openProviderBooks } from './provider-books.ts'
import { replicaChecks } from './replica-checks.ts'
import { searchChecks } from './search-checks.ts'
import { demandChecks, stockChecks } from './stock-checks.ts'
import { totalChecks } from './total-checks.ts'

export type { Finding } from './check.ts'

export interface AuditOptions {
  readonly stack: Stack
  /** Files of `tests/support/client-log.ts`. Without any, what clients were promised (of I3, of I4, and I8) is not checked. */
  readonly clientLog?: string | readonly string[]
  /**
   * How long to wait for the system to come to rest; 60 unless said otherwise. After that all is checked anyway, and what
   * began earlier than that and has not come to its end is a violation.
   */
  readonly settleSeconds?: number
  /** Gets what is waited for, each time that it is another. */
  readonly log?: (line: string) => void
}

/** Something could not be read, so nothing is known about it. `findings` are those of the checks that could be made. */
export class CouldNotRead extends Error {
  readonly findings: readonly Finding[]
  constructor(reasons: readonly unknown[], findings: readonly Finding[] = []) {
    super(reasons.map((reason) => (reason instanceof Error ? reason.message : String(reason))).join('; '))
    this.findings = findings
  }
}

/**
 * Holds a shop to its invariants by what its databases, the provider's books and its clients say, and changes nothing.
 * Shares no code with the services. Throws `CouldNotRead`.
 */
export const audit = async (options: AuditOptions): Promise<Finding[]> => {
  const { stack, clientLog = [], settleSeconds = 60 } = options
  const deadline = Date.now() + settleSeconds * 1000
  let books: Connection | undefined
  try {
    books = await openBooks(stack.mysqlAdminUrl)
    const files = [clientLog].flat()
    await readPromises(books, files)
    const channels = await readChannels(stack, books)
    await settle(books, options, channels, deadline)
    await takeApart(books)
    return await checkAll(books, options, channels, deadline, files.length > 0)
  } catch (error) {
    throw error instanceof CouldNotRead ? error : new CouldNotRead([error])
  } finally {
    await books?.end().catch(() => {})
  }
}

const rest = (ms: number) => pause(Math.min(Math.max(ms, 100), 2000))

/** Captures at the provider that payments has not heard of, and refunds that it does not know to be done. */
const untold = `SELECT COUNT(*) FROM audit_charges c LEFT JOIN payments.payments p
  ON p.id = c.payment AND (p.status = 'refunded' OR (p.status = 'captured' AND c.refunded = (
    SELECT COALESCE(SUM(r.amount), 0) FROM payments.partial_refunds r WHERE r.payment_id = p.id AND r.done)))
  WHERE c.status = 'captured' AND p.id IS NULL`

/** Waits until nothing is under way, or the deadline, and leaves the connection in the snapshot of that moment. */
const settle = async (
  books: Connection,
  { stack, log = () => {} }: AuditOptions,
  channels: Channels,
  deadline: number,
): Promise<void> => {
  const provider = openProviderBooks(stack.pspUrl, String(stack.secrets['psp-authorization']), books)
  const questions = unfinishedChecks(channels, 0).flatMap(({ check, finds }) =>
    finds.map((find) => ({ what: check, counts: `SELECT COUNT(*) FROM (${find}) AS unfinished` })),
  )
  questions.push({ what: 'every charge is known to payments', counts: untold })
  const open = async () => {
    for (const { what, counts } of questions) if ((await count(books, counts)) > 0) return what
    return undefined
  }
  for (let last = ''; ; ) {
    const began = Date.now()
    await provider.read()
    await snapshot(books)
    const waiting = await open()
    if (waiting && waiting !== last) log(`not yet: ${waiting}`)
    if (!waiting || Date.now() >= deadline) return
    last = waiting
    await leave(books)
    await rest(Date.now() - began)
  }
}

const checkAll = async (
  books: Connection,
  { stack, settleSeconds = 60, log = () => {} }: AuditOptions,
  channels: Channels,
  deadline: number,
  withClients: boolean,
): Promise<Finding[]> => {
  const checks: Check[] = [
    ...[...stockChecks, ...moneyChecks, ...onceChecks, ...historyChecks, ...totalChecks],
    ...[...fulfilmentChecks, ...invoiceChecks, ...promotionChecks, ...searchChecks],
    ...[...unfinishedChecks(channels, settleSeconds), ...eventChecks(channels), ...replicaChecks],
    ...(withClients ? [...promiseChecks, ...demandChecks] : []),
  ]
  const looks = [
    cartsTookOrders(stack),
    nothingGivenUp(
      stack,
      channels.consumers.filter((app) => app !== 'gateway'),
    ),
    gatewayServesCatalog(stack),
  ]
  /** Outside of the databases nobody says whether all is done: asked until it is, or the deadline. */
  const lookUntil = async (look: (books: Connection) => Promise<Finding>): Promise<Finding> => {
    for (let last = ''; ; ) {
      const found = await look(books)
      if (found.found === 0 || Date.now() >= deadline) return found
      const [first = ''] = found.violations
      if (first !== last) log(`not yet: ${first}`)
      last = first
      await rest(500)
    }
  }
  const findings: Finding[] = []
  const failures: unknown[] = []
  for (const make of [
    ...checks.map((check) => () => run(books, check)),
    ...looks.map((look) => () => lookUntil(look)),
  ])
    await make().then(
      (finding) => findings.push(finding),
      (error) => failures.push(error),
    )
  findings.sort((a, b) => a.invariant.localeCompare(b.invariant))
  if (failures.length > 0) throw new CouldNotRead(failures, findings)
  return findings
}
