import assert from 'node:assert/strict'
import { test } from 'node:test'
import { constructsIn, knownConstructs, listedConstructs } from '../support/sql-constructs.ts'
import { find, read } from './repository.ts'

// What of the shop's SQL Vitess and TiDB take otherwise: docs/operations.md lists it, and lists nothing else.

const sources = find('apps/*/src/**/*.ts', 'packages/service-kit/src/*.ts').filter(
  (file) => !/\.test\.ts$|^apps\/(?:psp|mail)-sandbox\//.test(file),
)
const migrations = find('apps/*/migrations/*.sql', 'packages/service-kit/migrations/*.sql')

const isSql =
  /\b(?:SELECT|INSERT|UPDATE|DELETE|REPLACE|CREATE|ALTER|SET SESSION|FROM|WHERE|JOIN|FOR UPDATE|INDEX|KEY)\b/
/** Text in quotes: of a template with the templates in it. */
const quoted = /`(?:[^`\\]|\\.)*`|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/g
/** What knex says for itself. */
const methods: Record<string, RegExp> = {
  'SKIP LOCKED': /\.skipLocked\(/,
  'recursive WITH': /\.withRecursive\(/,
  'window function': /\.(?:rowNumber|rank|denseRank)\(/,
}

/** By construct, the files that have it. */
const used = new Map<string, Set<string>>()
const note = (file: string, names: readonly string[]) => {
  for (const name of names) used.set(name, (used.get(name) ?? new Set()).add(file))
}
for (const file of migrations) for (const each of read(file).split(/;\s*$/m)) note(file, constructsIn(each))
for (const file of sources) {
  const source = read(file).replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
  for (const [text] of source.matchAll(quoted))
    if (isSql.test(text)) note(file, constructsIn(text.slice(1, -1)))
  for (const [name, pattern] of Object.entries(methods)) if (pattern.test(source)) note(file, [name])
}

const listed = listedConstructs()

test('docs/operations.md lists what of the shop’s SQL Vitess or TiDB take otherwise, and nothing that is not there', () => {
  const missing = [...used].flatMap(([name, files]) =>
    listed.has(name) ? [] : [`${name}: ${[...files].join(', ')}`],
  )
  assert.deepEqual(missing, [], 'used, and not in the table')
  assert.deepEqual(
    [...listed.keys()].filter((name) => !used.has(name)),
    [],
    'in the table, and used nowhere',
  )
})

test('each line of the table says where it is, what each of the two does, and what to do then', () => {
  for (const [name, cells] of listed) assert.equal(cells.filter((cell) => cell !== '').length, 4, name)
})

test('each construct is known by an example, and by no text or comment', () => {
  const examples: Record<string, string> = {
    AUTO_INCREMENT: 'CREATE TABLE t (id BIGINT AUTO_INCREMENT PRIMARY KEY)',
    CHECK: 'CREATE TABLE t (a INT, CONSTRAINT positive CHECK (a > 0))',
    'COLLATE other than _bin': 'CREATE TABLE t (a TEXT COLLATE ascii_general_ci)',
    'DROP PRIMARY KEY': 'ALTER TABLE t DROP PRIMARY KEY',
    'FOREIGN KEY': 'CREATE TABLE t (a INT REFERENCES u (id))',
    FULLTEXT: 'SELECT a FROM t WHERE MATCH (a) AGAINST (? IN BOOLEAN MODE)',
    GET_LOCK: 'SELECT GET_LOCK(?, 1)',
    JSON_TABLE: "SELECT * FROM JSON_TABLE(?, '$' COLUMNS (a INT PATH '$')) AS j",
    JSON_VALUE: "SELECT JSON_VALUE(a, '$.b') FROM t",
    'key that changes': 'UPDATE IGNORE t SET id = LOWER(id) WHERE id <> LOWER(id)',
    LATERAL: 'SELECT * FROM t, LATERAL (SELECT 1) AS u',
    'LOCK TABLES': 'LOCK TABLES t WRITE',
    'recursive WITH': 'WITH RECURSIVE t AS (SELECT 1) SELECT * FROM t',
    'REPLACE INTO': 'REPLACE INTO t VALUES (1)',
    SAVEPOINT: 'SAVEPOINT a',
    'scalar subquery': 'SELECT a, (SELECT COUNT(*) FROM u WHERE u.a = t.a) FROM t',
    'SET SESSION': 'SET SESSION time_zone = ?',
    'SKIP LOCKED': 'SELECT a FROM t FOR UPDATE SKIP LOCKED',
    SPATIAL: 'SELECT ST_Distance(a, b) FROM t',
    'statement of several tables': 'UPDATE t JOIN u ON u.a = t.a SET t.b = 1',
    'stored program': 'CREATE TRIGGER a BEFORE INSERT ON t FOR EACH ROW SET @a = 1',
    'temporary table': 'CREATE TEMPORARY TABLE t (a INT)',
    UNIQUE: 'CREATE TABLE t (a INT UNIQUE)',
    'upsert of its key': 'INSERT INTO t (a) VALUES (?) ON DUPLICATE KEY UPDATE a = VALUES(a)',
    'user variable': 'SELECT @a := 1',
    'window function': 'SELECT ROW_NUMBER() OVER (ORDER BY a) FROM t',
  }
  assert.deepEqual(Object.keys(examples), [...knownConstructs])
  for (const [name, sql] of Object.entries(examples)) {
    assert.ok(constructsIn(sql).includes(name), sql)
    assert.deepEqual(constructsIn(`SELECT a FROM t WHERE b = '${sql.replaceAll("'", "''")}' -- ${sql}`), [])
  }
})
