import assert from 'node:assert/strict'
import { test } from 'node:test'
import { servicesWithDatabase } from '../../tools/launcher/databases.ts'
import { repository } from '../../tools/launcher/stack-file.ts'
import { constructsIn, listedConstructs } from '../support/sql-constructs.ts'
import { rows, shop } from '../support/stack.ts'

// `tests/checks/sql-dialects.test.ts` reads the sources; what the query builder makes of them only the server knows.

const admin = <T>(statement: string) => rows<T>('mysql', statement)

/** Statements that services sent while `work` went on, by service. */
const statementsOf = async (work: () => Promise<void>): Promise<Map<string, string[]>> => {
  await admin("SET GLOBAL log_output = 'TABLE'")
  await admin('TRUNCATE mysql.general_log')
  await admin('SET GLOBAL general_log = 1')
  await work().finally(() => admin('SET GLOBAL general_log = 0'))
  const log = await admin<{ user: string; sql: string }>(
    `SELECT SUBSTRING_INDEX(user_host, '[', 1) AS user, CONVERT(argument USING utf8mb4) AS \`sql\`
     FROM mysql.general_log WHERE command_type IN ('Query', 'Execute')`,
  )
  await admin('TRUNCATE mysql.general_log')
  const services = servicesWithDatabase(repository)
  const sent = Map.groupBy(log, ({ user }) => user)
  return new Map(services.map((each) => [each, (sent.get(each) ?? []).map(({ sql }) => sql)]))
}

test('what the services send has nothing that docs/operations.md does not list for Vitess and TiDB', async (t) => {
  const sent = await statementsOf(async () => {
    const [shopper, [line]] = [await shop.newShopper(), await shop.newLines([10])]
    assert.ok(line)
    const [bought, unwanted] = [
      await shop.placeOrder(shopper, [line]),
      await shop.placeOrder(shopper, [line]),
    ]
    await shop.pay(shopper, bought.id)
    assert.equal((await shop.settled(shopper, bought.id)).status, 'confirmed')
    assert.equal((await shop.cancel(shopper, unwanted.id)).status, 200)
    await shop.door('GET', '/v1/search?q=tests')
    const { code } = await shop.newCoupon(line, { amount: 100 })
    const total = { ...line.unitPrice, amount: line.unitPrice.amount - 100 }
    const wishes = { codes: [code], total }
    const { status, text } = await shop.persistently(() => shop.tryOrder(shopper, [line], { wishes }))
    assert.equal(status, 201, text)
  })
  const listed = listedConstructs()
  for (const [service, statements] of sent) {
    const different = new Set(statements.map((sql) => sql.replace(/'(?:[^'\\]|\\.)*'|\d+/g, '?')))
    t.diagnostic(`${service}: ${statements.length} statements, ${different.size} different`)
    assert.ok(different.size > 5, `${service} sent next to nothing`)
    const unlisted = statements.flatMap((sql) => constructsIn(sql).filter((name) => !listed.has(name)))
    assert.deepEqual([...new Set(unlisted)], [], service)
  }
  const all = new Set([...sent.values()].flat().flatMap(constructsIn))
  for (const name of ['SKIP LOCKED', 'scalar subquery', 'FULLTEXT'])
    assert.ok(all.has(name), `${name} was not seen`)
})
