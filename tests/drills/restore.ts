import { setTimeout as pause } from 'node:timers/promises'
import { prepareDatabases, servicesWithDatabase } from '../../tools/launcher/databases.ts'
import type { Stack } from '../../tools/launcher/stack.ts'
import { repository } from '../../tools/launcher/stack-file.ts'
import { audit } from '../audit/audit.ts'
import { readClientLog } from '../support/client-log.ts'
import { inDatabase } from '../support/in-database.ts'
import { tellRedis } from '../support/tell-redis.ts'
import { lostWithRedis } from './backing.ts'
import { type Backup, openBackup } from './backup.ts'
import { apps, type Drill, type Field } from './field.ts'

const services = servicesWithDatabase(repository)
const members = apps.flatMap((app) => [app, `${app}.sidecar`])
const settleSeconds = 60

/** Checkouts before the back-up, and at least as many after it. */
const fewCheckouts = 20

/** Checks that find each charge which the provider alone remembers when a dump is all that is left, and the one of their sum. */
const ofCharges = [
  'payments = the provider’s charges, one by one',
  'provider’s charge = payment',
  'every capture ends in a confirmed order or a full refund',
]
const beyondTheDump = [...ofCharges, 'captures − refunds = sold orders = ledger = provider, in sum']

const down = async ({ process }: Stack): Promise<void> => {
  await Promise.all(members.map((name) => process(name).kill('SIGKILL')))
  await Promise.all(members.map((name) => process(name).stop()))
}

const up = ({ process }: Stack) => Promise.all(members.map((name) => process(name).start()))

/** A MySQL without any of the shop's databases and users, and an empty Redis. */
const lose = async (stack: Stack): Promise<void> => {
  for (const service of services) {
    await inDatabase(stack.mysqlAdminUrl, '', `DROP DATABASE \`${service}\``)
    await inDatabase(stack.mysqlAdminUrl, '', `DROP USER '${service}'@'%'`)
  }
  await tellRedis(stack, 'FLUSHALL')
}

/** Databases and users as a new server gets them, then what the back-up holds. */
const restoreDump = async (stack: Stack, backup: Backup): Promise<number> => {
  await prepareDatabases(stack.mysqlAdminUrl, services, stack.secrets)
  return backup.restore()
}

/** What clients were told of and the databases do not have. */
const lostOf = async ({ stack, clientLog }: Field) => {
  const known = async (service: string, table: string) => {
    const rows = await inDatabase<{ id: string }>(stack.mysqlAdminUrl, service, `SELECT id FROM ${table}`)
    return new Set(rows.map(({ id }) => id))
  }
  const [orders, payments] = [await known('orders', 'orders'), await known('payments', 'payments')]
  const told = readClientLog(clientLog.file)
  return {
    orders: told.filter((entry) => entry.what === 'order-placed' && !orders.has(entry.order)).length,
    payments: told.filter((entry) => entry.what === 'payment-answered' && !payments.has(entry.payment))
      .length,
  }
}

let backup: Backup

export const restore: Drill = {
  name: 'restore',
  what:
    'a back-up is taken amid checkouts; later all apps are killed, the databases dropped and Redis emptied; the dump and the log are ' +
    'put back, and nothing is lost. Afterwards the same with the dump alone, and what that loses',
  rounds: 1,
  /** All sidecars and apps start anew. */
  recoveryMs: 60_000,
  prepare: async () => ({ options: { binaryLog: true } }),
  run: async (field) => {
    const { stack, hold, recovered, succeeded } = field
    const checkouts = async (count: number) => {
      for (const end = succeeded() + count; succeeded() < end; ) await pause(50)
    }
    await checkouts(fewCheckouts)
    backup = openBackup(stack)
    const dumpMs = await backup.take()
    const log = backup.follow()
    await checkouts(fewCheckouts)
    const ms: Record<string, number> = {}
    let lost: Awaited<ReturnType<typeof lostOf>> | undefined
    await hold(
      'databases dropped, restored from dump and log',
      0,
      async () => {
        await down(stack)
        await log.end()
        await lose(stack)
        ms.dump = await restoreDump(stack, backup)
        ms.log = await backup.replayLog()
        lost = await lostOf(field)
      },
      () => up(stack),
    )
    await recovered()
    return {
      figures: {
        'taking the dump': `${dumpMs} ms, ${Math.round(backup.bytes() / 1024)} KiB`,
        'putting back dump, log': `${ms.dump}, ${ms.log} ms`,
        'lost with dump and log': lost,
      },
    }
  },
  excused: lostWithRedis,
  afterwards: async (field) => {
    const { stack, log } = field
    log('the same from the dump alone')
    await down(stack)
    await lose(stack)
    await restoreDump(stack, backup)
    const lost = await lostOf(field)
    await up(stack)
    await Promise.all(members.map((name) => stack.process(name).ready()))
    const findings = await audit({ stack, settleSeconds })
    const wrong = findings.filter(({ check, found }) => found > 0 && !(check in lostWithRedis))
    const unexpected = wrong.filter(({ check }) => !beyondTheDump.includes(check))
    const found = ofCharges.map((each) => wrong.find(({ check }) => check === each)?.found ?? 0)
    const orphans = Math.max(...found)
    const told = stack.logs('payments').match(/holds money for a payment that is not there/g)?.length ?? 0
    return {
      figures: {
        'lost with the dump alone': lost,
        'charges that only the provider knows then': orphans,
        'audit of what the dump holds': `${findings.length} checks, ${unexpected.length} violated`,
      },
      failures: [
        ...unexpected.map(
          ({ check, violations }) => `after the dump alone, ${check}: ${violations.slice(0, 3).join('; ')}`,
        ),
        ...(lost.orders === 0 ? ['the dump alone lost nothing: the drill shows nothing'] : []),
        ...(found.some((count) => count !== orphans) ? [`not the same charges: ${found.join(', ')}`] : []),
        ...(told < orphans ? [`payments told of ${told} of ${orphans} charges`] : []),
      ],
    }
  },
}
