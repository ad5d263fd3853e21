import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { repository } from '../../tools/launcher/stack-file.ts'

/** Of a statement: how a sharded keyspace of Vitess or a TiDB cluster may take it otherwise than MySQL does, or not at all. */
const constructs: Record<string, RegExp> = {
  AUTO_INCREMENT: /\bAUTO_INCREMENT\b/,
  CHECK: /\bCHECK\s*\(/,
  'COLLATE other than _bin': /\bCOLLATE\s+(?!\w+_bin\b)\w+/,
  'DROP PRIMARY KEY': /\bDROP PRIMARY KEY\b/,
  'FOREIGN KEY': /\bFOREIGN KEY\b|\bREFERENCES\s+\w+\s*\(/,
  FULLTEXT: /\bFULLTEXT\b|\bMATCH\s*\([^)]*\)\s*AGAINST\b/,
  GET_LOCK: /\b(?:GET|RELEASE|IS_FREE|IS_USED)_LOCK\s*\(/,
  JSON_TABLE: /\bJSON_TABLE\s*\(/,
  JSON_VALUE: /\bJSON_VALUE\s*\(/,
  'key that changes': /\bUPDATE\s+(?:IGNORE\s+)?\w+\s+SET\b[^;]*\b(?:id|product_id|slug)\s*=\s*LOWER\s*\(/,
  LATERAL: /\bLATERAL\b/,
  'LOCK TABLES': /\b(?:UN)?LOCK\s+TABLES?\b|\bFLUSH\s+TABLES\b/,
  'recursive WITH': /\bWITH\s+RECURSIVE\b/,
  'REPLACE INTO': /\bREPLACE\s+INTO\b/,
  SAVEPOINT: /\bSAVEPOINT\b/,
  'scalar subquery': /(?:[=<>,+*]|\bSELECT|\bAND|\bOR)\s*\(\s*SELECT\b/,
  'SET SESSION': /\bSET\s+(?:SESSION\b|@@)/,
  'SKIP LOCKED': /\bSKIP\s+LOCKED\b/,
  SPATIAL: /\bSPATIAL\b|\bST_\w+\s*\(|\b(?:GEOMETRY|POINT|POLYGON)\s+NOT\s+NULL\b/,
  'statement of several tables':
    /\bUPDATE\s+[\w`]+(?:\s+\w+)?\s*(?:,|(?:LEFT |INNER )?JOIN\b)|\bDELETE\s+\w+(?:\s*,\s*\w+)*\s+FROM\b/,
  'stored program': /\bCREATE\s+(?:\w+\s*=\s*\S+\s+)?(?:PROCEDURE|FUNCTION|TRIGGER|EVENT)\b|\bCALL\s+\w/,
  'temporary table': /\bCREATE\s+TEMPORARY\s+TABLE\b/,
  UNIQUE: /\bUNIQUE\b/,
  'upsert of its key': /\bINSERT\s+INTO\s+\w+\s*\((\w+)[^;]*?\bON DUPLICATE KEY UPDATE\s+\1\s*=/,
  'user variable': /(?<![\w@'"`])@\w+/,
  'window function': /\bOVER\s*(?:\(|\w+)/,
}

const literal = /'(?:[^'\\]|\\.|'')*'/gs
const comment = /--[^\n]*/g

/** The constructs in a statement, or in a file of them; what stands in texts and comments is none. */
export const constructsIn = (sql: string): string[] => {
  const text = sql.replace(comment, '').replace(literal, '?').replaceAll('`', '')
  return Object.entries(constructs).flatMap(([name, pattern]) =>
    new RegExp(pattern, 'i').test(text) ? name : [],
  )
}

/** Each construct that is known here. */
export const knownConstructs: readonly string[] = Object.keys(constructs)

/** What docs/operations.md says of each, in the table after `<!-- dialects -->`: where it is, what the two do, what to do then. */
export const listedConstructs = (): Map<string, string[]> => {
  const text = readFileSync(join(repository, 'docs/operations.md'), 'utf8')
  const [, table = ''] = /<!-- dialects -->\n([\s\S]*?)\n\n/.exec(text) ?? []
  const rows = table.split('\n').map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
  return new Map(rows.slice(2).map(([name = '', ...cells]) => [name.replaceAll('`', ''), cells]))
}
