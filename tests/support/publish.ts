import assert from 'node:assert/strict'
import type { CloudEvent } from '@caravan/service-kit/sidecar'
import { stack } from './stack.ts'

/** Publishes a CloudEvent as an app would: through that app's sidecar. */
export const publishAs = async (app: string, topic: string, event: CloudEvent): Promise<void> => {
  const { ports } = stack.process(`${app}.sidecar`)
  const response = await fetch(`http://127.0.0.1:${ports.http}/v1.0/publish/pubsub/${topic}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/cloudevents+json',
      'dapr-api-token': String(stack.tokens[app]?.dapr),
    },
    body: JSON.stringify(event),
  })
  assert.equal(response.status, 204, await response.text())
}

export const cloudEvent = (source: string, type: string, id: string, data: unknown): CloudEvent => ({
  specversion: '1.0',
  id,
  source: `/${source}`,
  type,
  time: new Date().toISOString(),
  datacontenttype: 'application/json',
  data,
})
