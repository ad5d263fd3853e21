import { type Background, every } from './background.ts'
import type { BaseConfig } from './config.ts'
import { connect, migrate } from './database.ts'
import type { Log } from './log.ts'
import { outboxLagSeconds, outboxPending } from './metrics.ts'
import { onceThere } from './once-there.ts'
import { createOutbox } from './outbox.ts'
import type { Shard, Sharded } from './shards.ts'
import type { Sidecar } from './sidecar.ts'
import { trim } from './trim.ts'

export interface OpenShardsOptions {
  readonly name: string
  readonly config: BaseConfig
  readonly migrations: URL
  /** Whether there may be more than one. */
  readonly sharded?: true
  readonly sidecar: Sidecar
  readonly log: Log
}

/** Connects to the databases that the secret `<name>-mysql` names, and migrates each. `background` runs beside the requests. */
export const openShards = async (options: OpenShardsOptions) => {
  const { name, config, migrations, sharded, sidecar, log } = options
  const urls = (await onceThere(() => sidecar.secret(`${name}-mysql`))).trim().split(/\s+/)
  if (urls.length > 1 && !sharded) throw new Error(`${name} has one database, not ${urls.length}`)
  const open = async (url: string) => {
    const db = connect(url, { statementSeconds: config.STATEMENT_SECONDS })
    await onceThere(() => migrate(db, migrations))
    return { db, outbox: createOutbox({ name, db, sidecar, log }) }
  }
  const all = await Promise.all(urls.map(open))
  const measure = every(5000, 'outbox-measure', log, async () => {
    const measured = await Promise.all(all.map(({ outbox }) => outbox.measure()))
    outboxPending.set(measured.reduce((sum, { pending }) => sum + pending, 0))
    outboxLagSeconds.set(Math.max(...measured.map(({ lagSeconds }) => lagSeconds)))
  })
  const background: Background[] = [
    ...all.flatMap(({ db, outbox }) => [outbox, trim(db, log, config)]),
    measure,
  ]
  return { shards: all as unknown as Sharded<Shard>, background }
}
