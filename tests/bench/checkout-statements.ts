/** One row of the server's general log. */
export interface Logged {
  /** Whose connection: a service's user is called as the service and its database. */
  readonly user: string
  readonly thread: number
  readonly sql: string
}

/** Text in which the numbers stand for what is new in each replay: see `Script.variables`. */
export type Pieces = readonly (string | number)[]

export interface Statement {
  readonly sql: string
  /** The texts for its placeholders. */
  readonly values: readonly Pieces[]
  /** Whether it ends in `IN (?)`, for rows of the outbox. */
  readonly outboxRows: boolean
}

/** What commits together, on one connection. */
export interface Unit {
  readonly service: string
  readonly transaction: boolean
  readonly statements: readonly Statement[]
}

export interface Script {
  readonly units: readonly Unit[]
  /** What relays do about the outbox, by itself: for many rows at once, when there are many. */
  readonly relays: readonly Unit[]
  /** The ids of the recorded run; a replay has another in the place of each. The SKUs come first. */
  readonly variables: readonly string[]
}

const uuid = /[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/g
const literal = /'((?:[^'\\]|\\.|'')*)'/gs
const outboxRows = /\bseq IN \([\d, ]+\)/i
const isRelay = ({ sql }: { sql: readonly string[] }) =>
  sql.every((statement) => /\b(from|update) `?outbox\b/i.test(statement))

/** Transactions as they were committed, and what was done outside of any. One that was rolled back is none. */
const unitsOf = (log: readonly Logged[]): { user: string; transaction: boolean; sql: string[] }[] => {
  const open = new Map<number, string[]>()
  const units: { user: string; transaction: boolean; sql: string[] }[] = []
  for (const { user, thread, sql } of log) {
    const running = open.get(thread)
    if (/^(begin|start transaction)/i.test(sql)) open.set(thread, [])
    else if (/^(commit|rollback)/i.test(sql)) {
      if (running && /^commit/i.test(sql)) units.push({ user, transaction: true, sql: running })
      open.delete(thread)
    } else if (running) running.push(sql)
    else units.push({ user, transaction: false, sql: [sql] })
  }
  return units
}

/** The statements of background tasks name nothing of this checkout: they only look whether there is something to do. */
const concerning = (units: ReturnType<typeof unitsOf>, about: readonly string[]) => {
  const known = new Set(about)
  const kept = new Set<(typeof units)[number]>()
  for (let before = -1; before < kept.size; ) {
    before = kept.size
    for (const unit of units) {
      const ids = unit.sql.flatMap((sql) => sql.match(uuid) ?? [])
      const names = [...about, ...ids].filter((name) => unit.sql.some((sql) => sql.includes(`${name}`)))
      if (!names.some((name) => known.has(name)) && !unit.sql.some((sql) => outboxRows.test(sql))) continue
      kept.add(unit)
      for (const id of ids) known.add(id)
    }
  }
  return units.filter((unit) => kept.has(unit))
}

const plain = (text: string): string =>
  text
    .replaceAll("''", "'")
    .replace(/\\(.)/gs, (_, c: string) => ({ n: '\n', t: '\t', r: '\r', '0': '\0' })[c] ?? c)

/**
 * Makes a script of what the server logged during one checkout: its statements with placeholders for every text in them,
 * in the order of commit. `about` are ids of that checkout, by which its statements are known; `skus` those that it bought.
 */
export const scriptOf = (
  log: readonly Logged[],
  about: readonly string[],
  skus: readonly string[],
): Script => {
  const variables = [...skus]
  const indexOf = (name: string) => {
    const found = variables.indexOf(name)
    return found >= 0 ? found : variables.push(name) - 1
  }
  const name = new RegExp(`(${[...skus, uuid.source].join('|')})`)
  const pieces = (text: string): Pieces =>
    text
      .split(name)
      .map((part, index) => (index % 2 ? indexOf(part) : part))
      .filter((part) => part !== '')

  const statementOf = (text: string): Statement => {
    const values: Pieces[] = []
    const sql = text
      .replace(literal, (_, inside: string) => {
        values.push(pieces(plain(inside)))
        return '?'
      })
      .replace(outboxRows, 'seq IN (?)')
    return { sql, values, outboxRows: outboxRows.test(text) }
  }
  const found = concerning(unitsOf(log), [...about, ...skus])
  const units = found.map((unit) => ({
    ...{ service: unit.user, transaction: unit.transaction, relay: isRelay(unit) },
    statements: unit.sql.map(statementOf),
  }))
  const once = new Map(
    units.filter(({ relay }) => relay).map((unit) => [`${unit.service} ${unit.statements[0]?.sql}`, unit]),
  )
  return { units: units.filter(({ relay }) => !relay), relays: [...once.values()], variables }
}
