import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Connection } from 'mysql2/promise'
import type { Stack } from '../../../tools/launcher/stack.ts'
import type { ClientEntry, ClientLog } from '../../support/client-log.ts'

const apps = ['catalog', 'identity', 'inventory', 'orders', 'payments', 'promotions']

/** Spoils something, and gives what undoes that. */
export type Damage = () => Promise<() => unknown>

/** What is spoiled, how, and the checks that must see it; no other may. */
export type Case = readonly [what: string, damage: Damage, seenBy: readonly string[]]

export const nobody = '00000000-0000-4000-8000-000000000000'

/** What spoils the books of a shop that may not write any more: nobody mends what is spoiled, and all can be undone. */
export const openSpoil = (stack: Stack, admin: Connection, log: ClientLog) => {
  /** Copies all tables, and takes away what keeps them right. */
  const freeze = async (): Promise<void> => {
    await admin.query('SET GLOBAL read_only = ON')
    await admin.query('CREATE DATABASE untouched')
    const [rows] = await admin.query(
      'SELECT table_schema AS app, table_name AS name FROM information_schema.tables WHERE table_schema IN (?)',
      [apps],
    )
    for (const { app, name } of rows as { app: string; name: string }[])
      await admin.query(`CREATE TABLE untouched.${app}_${name} AS SELECT * FROM ${app}.${name}`)
    await admin.query(
      'ALTER TABLE inventory.stock DROP CONSTRAINT stock_never_negative, DROP CONSTRAINT stock_adds_up',
    )
    await admin.query('ALTER TABLE promotions.promotions DROP CONSTRAINT promotion_within_limits')
    await admin.query('ALTER TABLE promotions.codes DROP CONSTRAINT code_within_limit')
    await admin.query('SET SESSION foreign_key_checks = 0')
  }

  const restore = async (statement: string): Promise<void> => {
    for (const table of new Set(statement.match(new RegExp(`\\b(?:${apps.join('|')})\\.[a-z_]+`, 'g')))) {
      await admin.query(`DELETE FROM ${table}`)
      await admin.query(`INSERT INTO ${table} SELECT * FROM untouched.${table.replace('.', '_')}`)
    }
  }

  const sql =
    (...statements: string[]): Damage =>
    async () => {
      for (const statement of statements) {
        const [{ affectedRows }] = (await admin.query(statement)) as [{ affectedRows: number }, unknown]
        assert.ok(affectedRows > 0, `nothing was spoiled by ${statement}`)
      }
      return () => restore(statements.join())
    }

  const atProvider =
    (statement: string, undo: string): Damage =>
    async () => {
      const books = new DatabaseSync(join(stack.dir, 'psp.sqlite'), { timeout: 5000 })
      assert.ok(books.prepare(statement).run().changes > 0, `nothing was spoiled by ${statement}`)
      return () => {
        books.exec(undo)
        books.close()
      }
    }

  /** The clients' log as it should not be. */
  const inLog =
    (change: (entries: ClientEntry[]) => readonly object[]): Damage =>
    async () => {
      const text = readFileSync(log.file, 'utf8')
      const entries = text.trim().split('\n')
      const changed = change(entries.map((line) => JSON.parse(line)))
      writeFileSync(log.file, changed.map((entry) => `${JSON.stringify(entry)}\n`).join(''))
      return () => writeFileSync(log.file, text)
    }

  /** A value of an app's state store; none when it is undefined. */
  const inState =
    (app: string, key: string, value?: unknown): Damage =>
    async () => {
      const url = `http://127.0.0.1:${stack.process(`${app}.sidecar`).ports.http}/v1.0/state/statestore`
      const headers = {
        'content-type': 'application/json',
        'dapr-api-token': String(stack.tokens[app]?.dapr),
      }
      const before = await (await fetch(`${url}/${key}`, { headers })).text()
      const put = async (text: string) => {
        const { status } = text
          ? await fetch(url, { method: 'POST', headers, body: `[{"key":"${key}","value":${text}}]` })
          : await fetch(`${url}/${key}`, { method: 'DELETE', headers })
        assert.equal(status, 204)
      }
      await put(value === undefined ? '' : JSON.stringify(value))
      return () => put(before)
    }

  return { freeze, sql, atProvider, inLog, inState }
}

export type Spoil = ReturnType<typeof openSpoil>
