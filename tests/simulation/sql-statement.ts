import { parseExpression } from './sql-expression.ts'
import type {
  Alteration,
  Assignment,
  Check,
  Column,
  Expression,
  Insert,
  Select,
  Source,
  Statement,
  TableDefinition,
} from './sql-syntax.ts'
import { readTokens, type TokenReader } from './sql-tokens.ts'

const commas = <T>(reader: TokenReader, parse: () => T): T[] => {
  const items = [parse()]
  while (reader.accept(',')) items.push(parse())
  return items
}

const names = (reader: TokenReader): string[] => {
  reader.expect('(')
  const found = commas(reader, () => reader.name())
  reader.expect(')')
  return found
}

const assignment = (reader: TokenReader): Assignment => {
  const column = reader.name()
  reader.expect('=')
  return [column, parseExpression(reader)]
}

const where = (reader: TokenReader) => (reader.accept('WHERE') ? parseExpression(reader) : undefined)
const limit = (reader: TokenReader) => (reader.accept('LIMIT') ? parseExpression(reader) : undefined)

const clauses = new Set(['JOIN', 'ON', 'WHERE', 'GROUP', 'ORDER', 'LIMIT', 'FOR', 'SET'])

const source = (reader: TokenReader): Source => {
  const table = reader.name()
  const aliased =
    !reader.ended() && ![...clauses, ')', ';', ','].some((word) => reader.is(word)) ? reader.name() : table
  return { table, alias: aliased }
}

/** What follows the word SELECT up to the end of the clause FOR UPDATE. */
const parseSelect = (reader: TokenReader): Select => {
  reader.expect('SELECT')
  const before = reader.aggregated
  reader.aggregated = false
  const columns = reader.accept('*')
    ? undefined
    : commas(reader, () => {
        const of = parseExpression(reader)
        return { of, name: reader.accept('AS') ? reader.name() : reader.lastName() }
      })
  const aggregated = reader.aggregated
  reader.aggregated = before
  const from: Source[] = reader.accept('FROM') ? [source(reader)] : []
  while (reader.accept('JOIN')) {
    const joined = source(reader)
    reader.expect('ON')
    from.push({ ...joined, on: parseExpression(reader) })
  }
  return {
    kind: 'select',
    ...(columns ? { columns } : {}),
    from,
    where: where(reader),
    groupBy: reader.accept('GROUP', 'BY')
      ? commas(reader, () => parseExpression(reader))
      : aggregated
        ? []
        : undefined,
    orderBy: reader.accept('ORDER', 'BY')
      ? commas(reader, () => ({
          by: parseExpression(reader),
          descending: reader.acceptOneOf('ASC', 'DESC') === 'DESC',
        }))
      : [],
    limit: limit(reader),
    lock: reader.accept('FOR', 'UPDATE') ? (reader.accept('SKIP', 'LOCKED') ? 'skip' : 'wait') : 'none',
  }
}

const parseInsert = (reader: TokenReader): Insert => {
  const ignore = reader.accept('IGNORE')
  reader.expect('INTO')
  const table = reader.name()
  const columns = names(reader)
  reader.expect('VALUES')
  const rows = commas(reader, () => {
    reader.expect('(')
    const row = commas(reader, () => parseExpression(reader))
    reader.expect(')')
    return row
  })
  const onDuplicate = reader.accept('ON', 'DUPLICATE', 'KEY', 'UPDATE')
    ? commas(reader, () => assignment(reader))
    : undefined
  return { kind: 'insert', table, columns, rows, ignore, onDuplicate }
}

const parseColumn = (reader: TokenReader, unique: string[][]): Column => {
  const name = reader.name()
  const type = reader.word()
  let [nullable, counts] = [true, false]
  let initially: Expression | undefined
  while (!reader.is(',') && !reader.is(')') && !reader.ended()) {
    if (reader.accept('PRIMARY', 'KEY')) unique.unshift([name])
    else if (reader.accept('UNIQUE')) unique.push([name])
    else if (reader.accept('NOT', 'NULL')) nullable = false
    else if (reader.accept('AUTO_INCREMENT')) counts = true
    else if (reader.accept('DEFAULT')) initially = parseExpression(reader)
    else reader.skip()
  }
  return { name, type, initially, nullable, counts }
}

const parseCheck = (reader: TokenReader): Check => {
  const name = reader.name()
  reader.expect('CHECK', '(')
  const holds = parseExpression(reader)
  reader.expect(')')
  return { name, holds }
}

const parseTable = (reader: TokenReader): TableDefinition => {
  reader.expect('TABLE')
  const table = reader.name()
  const columns: Column[] = []
  const unique: string[][] = []
  const checks: Check[] = []
  reader.expect('(')
  do {
    if (reader.accept('PRIMARY', 'KEY')) unique.unshift(names(reader))
    else if (reader.accept('UNIQUE', 'KEY')) {
      reader.name()
      unique.push(names(reader))
    } else if (reader.accept('KEY')) {
      reader.name()
      reader.skip()
    } else if (reader.accept('CONSTRAINT')) checks.push(parseCheck(reader))
    else columns.push(parseColumn(reader, unique))
  } while (reader.accept(','))
  reader.expect(')')
  while (!reader.ended()) reader.skip()
  return { kind: 'create', table, columns, unique, checks }
}

const parseAlteration = (reader: TokenReader): Alteration => {
  reader.expect('TABLE')
  const table = reader.name()
  const columns: Column[] = []
  const unique: string[][] = []
  const checks: Check[] = []
  let primaryKey: string[] | undefined
  do {
    if (reader.accept('DROP', 'PRIMARY', 'KEY')) continue
    reader.expect('ADD')
    if (reader.accept('COLUMN')) columns.push(parseColumn(reader, unique))
    else if (reader.accept('PRIMARY', 'KEY')) primaryKey = names(reader)
    else if (reader.accept('UNIQUE', 'KEY')) {
      reader.name()
      unique.push(names(reader))
    } else if (reader.accept('CONSTRAINT')) checks.push(parseCheck(reader))
    else {
      reader.expect('KEY')
      reader.name()
      reader.skip()
    }
  } while (reader.accept(','))
  return { kind: 'alter', table, columns, unique, checks, primaryKey }
}

const parse = (reader: TokenReader): Statement => {
  if (reader.is('SELECT')) return parseSelect(reader)
  if (reader.accept('INSERT')) return parseInsert(reader)
  if (reader.accept('CREATE')) return parseTable(reader)
  if (reader.accept('ALTER')) return parseAlteration(reader)
  if (reader.accept('UPDATE')) {
    const ignore = reader.accept('IGNORE')
    const table = reader.name()
    reader.expect('SET')
    const set = commas(reader, () => assignment(reader))
    return { kind: 'update', table, ignore, set, where: where(reader) }
  }
  reader.expect('DELETE', 'FROM')
  return { kind: 'delete', table: reader.name(), where: where(reader), limit: limit(reader) }
}

const parsed = new Map<string, Statement>()

/**
 * The part of MySQL's SQL that the services use, as functions. Throws for what is not known here, so that a new kind of
 * statement fails loudly instead of being taken for another.
 */
export const parseStatement = (sql: string): Statement => {
  const known = parsed.get(sql)
  if (known) return known
  const reader: TokenReader = { ...readTokens(sql), select: () => parseSelect(reader) }
  const statement = parse(reader)
  reader.accept(';')
  if (!reader.ended()) throw reader.error('what is left is not known here')
  parsed.set(sql, statement)
  return statement
}
