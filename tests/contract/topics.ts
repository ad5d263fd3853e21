import { readFileSync } from 'node:fs'
import { events } from '@caravan/contracts/all'
import type { EventDefinition } from '@caravan/contracts/event'
import { parse } from 'yaml'

interface Component {
  spec: { metadata: { name: string; value?: string }[] }
}

const file = new URL('../../components/local/pubsub.yaml', import.meta.url)
const { metadata } = (parse(readFileSync(file, 'utf8')) as Component).spec
const scopes = new Map(
  metadata
    .find(({ name }) => name === 'subscriptionScopes')
    ?.value?.split(';')
    .map((part) => part.split('=') as [string, string]),
)

/** The topics that an app consumes, by the component that lets it: its own dead letters are not among them. */
export const topicsOf = (app: string): string[] =>
  (scopes.get(app) ?? '').split(',').filter((topic) => topic !== '' && topic !== `${app}.dead-letter`)

export const consumersOf = (topic: string): string[] =>
  [...scopes.keys()].filter((app) => topicsOf(app).includes(topic))

export const eventOf = (topic: string): EventDefinition => {
  const found = events.find((event) => event.topic === topic)
  if (!found) throw new Error(`no contract describes ${topic}`)
  return found
}
