import { accessChanged } from '@caravan/contracts/access'
import type { Connection } from 'mysql2/promise'
import type { Stack } from '../../tools/launcher/stack.ts'
import { select } from './books.ts'

/** Who sends and who takes what, as the running system has it, so that a new app or subscription is audited as well. */
export interface Channels {
  /** Apps with an outbox and an inbox. */
  readonly databases: readonly string[]
  /** Apps that subscribe to anything. */
  readonly consumers: readonly string[]
  /** The topics of each consumer that has a database. */
  readonly topics: ReadonlyMap<string, readonly string[]>
}

/** What an app declares to Dapr, without its dead letters and what is a hint only, of which nobody takes note. */
const declaredBy = async (stack: Stack, app: string): Promise<string[]> => {
  const { host, ports } = stack.process(app)
  const answer = await fetch(`http://${host}:${ports.app}/dapr/subscribe`, {
    headers: { 'dapr-api-token': String(stack.tokens[app]?.app) },
    signal: AbortSignal.timeout(10_000),
  })
  if (answer.status !== 200) throw new Error(`${app} answered ${answer.status} for its subscriptions`)
  const declared = (await answer.json()) as { topic: string }[]
  return declared
    .map(({ topic }) => topic)
    .filter((topic) => topic !== `${app}.dead-letter` && topic !== accessChanged.topic)
}

export const readChannels = async (stack: Stack, books: Connection): Promise<Channels> => {
  const schemas = await select<{ name: string }>(
    books,
    `SELECT table_schema AS name FROM information_schema.tables WHERE table_name IN ('outbox', 'inbox')
     GROUP BY table_schema HAVING COUNT(*) = 2 ORDER BY table_schema`,
  )
  const apps = stack.names.filter((name) => stack.names.includes(`${name}.sidecar`) && name in stack.tokens)
  const databases = schemas.map(({ name }) => name).filter((name) => apps.includes(name))
  const declared = await Promise.all(apps.map(async (app) => [app, await declaredBy(stack, app)] as const))
  const subscribed = declared.filter(([, topics]) => topics.length > 0)
  return {
    databases,
    consumers: subscribed.map(([app]) => app),
    topics: new Map(subscribed.filter(([app]) => databases.includes(app))),
  }
}
