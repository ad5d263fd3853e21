/** A statement and its expressions, as they were read. They hold one another: an expression may ask whether a SELECT finds anything. */

export type Value = string | number | Date | null
export type Values = Record<string, Value>

/** A row in reach of an expression, and those around it. */
export interface Scope {
  readonly alias: string
  readonly values: Values
  readonly outer: Scope | undefined
}

/** What an expression is evaluated in; `scope` moves from row to row. */
export interface Env {
  readonly params: readonly unknown[]
  /** Milliseconds: what NOW(3) is during a statement. */
  readonly now: number
  readonly exists: (select: Select, env: Env) => boolean
  /** The one column of a subquery's first row; NULL without one. */
  readonly value: (select: Select, env: Env) => Value
  scope: Scope | undefined
  /** The rows of a group, for aggregates. */
  group?: readonly Scope[]
  /** The row that could not be inserted, for VALUES() of ON DUPLICATE KEY UPDATE. */
  refused?: Values
}

/** NULL is null, TRUE is 1, and a comparison with NULL is null. */
export type Expression = (env: Env) => Value

export interface Source {
  readonly table: string
  readonly alias: string
  readonly on?: Expression
}

export interface Select {
  readonly kind: 'select'
  /** Absent for `*`. */
  readonly columns?: readonly { readonly name: string; readonly of: Expression }[]
  readonly from: readonly Source[]
  readonly where: Expression | undefined
  readonly groupBy: readonly Expression[] | undefined
  readonly orderBy: readonly { readonly by: Expression; readonly descending: boolean }[]
  readonly limit: Expression | undefined
  readonly lock: 'none' | 'wait' | 'skip'
}

export type Assignment = readonly [column: string, to: Expression]

export interface Insert {
  readonly kind: 'insert'
  readonly table: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly Expression[])[]
  readonly ignore: boolean
  readonly onDuplicate: readonly Assignment[] | undefined
}

export interface Update {
  readonly kind: 'update'
  readonly table: string
  readonly ignore: boolean
  readonly set: readonly Assignment[]
  readonly where: Expression | undefined
}

export interface Delete {
  readonly kind: 'delete'
  readonly table: string
  readonly where: Expression | undefined
  readonly limit: Expression | undefined
}

export interface Column {
  readonly name: string
  readonly type: string
  readonly initially: Expression | undefined
  readonly nullable: boolean
  readonly counts: boolean
}

export interface Check {
  readonly name: string
  readonly holds: Expression
}

export interface TableDefinition {
  readonly kind: 'create'
  readonly table: string
  readonly columns: readonly Column[]
  /** The primary key first. */
  readonly unique: readonly (readonly string[])[]
  readonly checks: readonly Check[]
}

export interface Alteration {
  readonly kind: 'alter'
  readonly table: string
  readonly columns: readonly Column[]
  readonly unique: readonly (readonly string[])[]
  readonly checks: readonly Check[]
  /** In the place of the one there was. */
  readonly primaryKey: readonly string[] | undefined
}

export type Statement = Select | Insert | Update | Delete | TableDefinition | Alteration
