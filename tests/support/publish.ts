import assert from 'node:assert/strict'
import type { CloudEvent } from '@caravan/service-kit/sidecar'
import { stack } from './stack.ts'

const publish = async (app: string, target: string, type: string, body: string): Promise<void> => {
  const { ports } = stack.process(`${app}.sidecar`)
  const response = await fetch(`http://127.0.0.1:${ports.http}/v1.0/publish/pubsub/${target}`, {
    method: 'POST',
    headers: { 'content-type': type, 'dapr-api-token': String(stack.tokens[app]?.dapr) },
    body,
  })
  assert.equal(response.status, 204, await response.text())
}

/** Publishes a CloudEvent as an app would: through that app's sidecar. */
export const publishAs = (app: string, topic: string, event: CloudEvent): Promise<void> =>
  publish(app, topic, 'application/cloudevents+json', JSON.stringify(event))

/** Publishes a text as it is, not as an event's data. */
export const publishRaw = (app: string, topic: string, text: string): Promise<void> =>
  publish(app, `${topic}?metadata.rawPayload=true`, 'text/plain', text)

export const cloudEvent = (source: string, type: string, id: string, data: unknown): CloudEvent => ({
  specversion: '1.0',
  id,
  source: `/${source}`,
  type,
  time: new Date().toISOString(),
  datacontenttype: 'application/json',
  data,
})
