import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

export const registry = new Registry()
collectDefaultMetrics({ register: registry })

const registers = [registry]
const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** Rate, errors and duration by route template (never by path: an id would make a series of its own). */
export const requestSeconds = new Histogram({
  name: 'http_request_duration_seconds',
  help: 'Requests served, by route and status',
  labelNames: ['route', 'status'],
  buckets,
  registers,
})

export const sidecarSeconds = new Histogram({
  name: 'sidecar_call_duration_seconds',
  help: 'Calls to the own sidecar, by building block and outcome',
  labelNames: ['call', 'outcome'],
  buckets,
  registers,
})

export const eventsHandled = new Counter({
  name: 'events_handled_total',
  help: 'Events delivered to this service, by topic and answer',
  labelNames: ['topic', 'status'],
  registers,
})

export const outboxPending = new Gauge({
  name: 'outbox_pending',
  help: 'Outbox rows not yet accepted by the broker',
  registers,
})

export const outboxLagSeconds = new Gauge({
  name: 'outbox_lag_seconds',
  help: 'Age of the oldest outbox row not yet accepted by the broker',
  registers,
})

export const accessVersion = new Gauge({
  name: 'access_version',
  help: 'Version of the roles, rules, bans and public routes that this process goes by',
  registers,
})

let accessAge = (): number => Number.POSITIVE_INFINITY

new Gauge({
  name: 'access_age_seconds',
  help: 'Time since identity last confirmed that version',
  registers,
  collect() {
    this.set(accessAge())
  },
})

/** Reports the age, in seconds, at each scrape. */
export const watchAccessAge = (age: () => number): void => {
  accessAge = age
}

export const statementTimeouts = new Counter({
  name: 'db_statement_timeouts_total',
  help: 'SQL statements that were given up after their deadline',
  registers,
})

interface Pool {
  numUsed(): number
  numFree(): number
  numPendingAcquires(): number
}

const pools: Pool[] = []

new Gauge({
  name: 'db_pool_connections',
  help: 'Database connections, by state; waiting is requests for one',
  labelNames: ['state'],
  registers,
  collect() {
    const sum = (count: (pool: Pool) => number) => pools.reduce((total, pool) => total + count(pool), 0)
    this.set(
      { state: 'used' },
      sum((pool) => pool.numUsed()),
    )
    this.set(
      { state: 'free' },
      sum((pool) => pool.numFree()),
    )
    this.set(
      { state: 'waiting' },
      sum((pool) => pool.numPendingAcquires()),
    )
  },
})

/** Reports a knex pool's use at each scrape, added to that of the process's other pools. */
export const watchPool = (pool: Pool): void => {
  pools.push(pool)
}
