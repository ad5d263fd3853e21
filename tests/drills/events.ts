import { setTimeout as pause } from 'node:timers/promises'
import { servicesWithDatabase } from '../../tools/launcher/databases.ts'
import { repository } from '../../tools/launcher/stack-file.ts'
import { inDatabase } from '../support/in-database.ts'
import type { Drill, Field } from './field.ts'

interface Row {
  seq: number
  id: string
  topic: string
  data: string
  created_at: Date
}

const copies = 2
/** Milliseconds within which a copy is published, at a moment of its own: so copies overtake one another. */
const spread = 4000
const pollMs = 100

/**
 * Publishes what each outbox holds again, through the owning app's sidecar, under the same id: each event twice more, in
 * any order, some before the shop itself published it. `stop` resolves when all copies are out.
 */
const repeatAll = ({ stack, random }: Field) => {
  const published: Record<string, number> = {}
  const underWay = new Set<Promise<void>>()
  let failed = 0
  let stopped = false

  const publish = async (app: string, { id, topic, data, created_at }: Row) => {
    const response = await fetch(
      `http://127.0.0.1:${stack.process(`${app}.sidecar`).ports.http}/v1.0/publish/pubsub/${topic}`,
      {
        method: 'POST',
        headers: {
          'content-type': 'application/cloudevents+json',
          'dapr-api-token': String(stack.tokens[app]?.dapr),
        },
        body: JSON.stringify({
          ...{ specversion: '1.0', id, source: `/${app}`, type: topic, time: created_at.toISOString() },
          ...{
            datacontenttype: 'application/json',
            data: typeof data === 'string' ? JSON.parse(data) : data,
          },
        }),
      },
    )
    await response.body?.cancel()
    if (response.ok) published[topic] = (published[topic] ?? 0) + 1
    else failed += 1
  }

  const later = (app: string, row: Row) => {
    const copy = pause(random.below(spread))
      .then(() => publish(app, row))
      .catch(() => {
        failed += 1
      })
      .finally(() => underWay.delete(copy))
    underWay.add(copy)
  }

  const follow = async (app: string) => {
    for (let seq = 0, last = false; ; ) {
      last = stopped
      const rows = await inDatabase<Row>(
        stack.mysqlAdminUrl,
        app,
        'SELECT seq, id, topic, data, created_at FROM outbox WHERE seq > ? ORDER BY seq',
        [seq],
      )
      for (const row of rows) for (let copy = 0; copy < copies; copy++) later(app, row)
      seq = rows.at(-1)?.seq ?? seq
      if (last) return
      await pause(pollMs)
    }
  }
  const following = servicesWithDatabase(repository).map(follow)
  return async () => {
    stopped = true
    await Promise.all(following)
    await Promise.all(underWay)
    return { published, failed }
  }
}

export const events: Drill = {
  name: 'events',
  what: 'every event three times and shuffled',
  rounds: 1,
  seconds: 30,
  run: async (field) => {
    const stop = repeatAll(field)
    let repeated: Awaited<ReturnType<typeof stop>> | undefined
    await field.hold(
      'events repeated',
      field.holdMs,
      async () => {},
      async () => {
        repeated = await stop()
      },
    )
    await field.recovered()
    const { published = {}, failed = 0 } = repeated ?? {}
    return {
      figures: { 'copies by topic': published },
      failures: failed > 0 ? [`${failed} copies were not published`] : [],
    }
  },
}
