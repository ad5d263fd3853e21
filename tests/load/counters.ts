import type { Stack } from '../../tools/launcher/stack.ts'
import { readStatements } from './sql-meter.ts'

/** Counters by what they count, by source. */
export type Readings = ReadonlyMap<string, Readonly<Record<string, number>>>

type Labels = Readonly<Record<string, string | undefined>>
type Names = Readonly<Record<string, (labels: Labels) => string | undefined>>

/** Of daprd 1.18. Paths are left alone, since an id in one may make a series of its own. */
const ofSidecar: Names = {
  dapr_http_server_request_count: ({ path }) =>
    path?.includes('/healthz') ? undefined : 'HTTP requests to the sidecar',
  dapr_grpc_io_server_completed_rpcs: ({ grpc_server_method }) =>
    `gRPC ${grpc_server_method?.split('/').pop()}`,
  dapr_runtime_service_invocation_req_sent_total: ({ dst_app_id }) => `invocations of ${dst_app_id}`,
  dapr_component_pubsub_ingress_bulk_event_count: ({ topic }) => `deliveries of ${topic}`,
  dapr_component_pubsub_ingress_count: ({ topic }) => `deliveries of ${topic}`,
}

/** Of the kit. */
const ofApp: Names = {
  sidecar_call_duration_seconds_count: ({ call }) => `calls its sidecar: ${call}`,
  http_request_duration_seconds_count: ({ route }) => `serves ${route}`,
}

const label = /(\w+)="((?:[^"\\]|\\.)*)"/g

const countIn = (text: string, app: string, names: Names): Record<string, number> => {
  const counts: Record<string, number> = {}
  const samples = new RegExp(`^(${Object.keys(names).join('|')})\\{(.*)\\} (\\S+)$`, 'gm')
  for (const [, metric = '', labels = '', value] of text.matchAll(samples)) {
    const what = names[metric]?.(Object.fromEntries([...labels.matchAll(label)].map(([, k, v]) => [k, v])))
    if (what) counts[`${app}: ${what}`] = (counts[`${app}: ${what}`] ?? 0) + Number(value)
  }
  return counts
}

/**
 * What MySQL, the sidecars and the apps have counted since they started, by source; a source that does not answer is left
 * out. An app's calls to its sidecar are told by its own count, by kind, and all together by the sidecar's; what it asks
 * by the SDK is among `gRPC`, as are the invocations that arrive there.
 */
export const readCounters = async (stack: Stack): Promise<Readings> => {
  const readings = new Map<string, Record<string, number>>()
  const metrics = async (process: string, port: number | undefined, app: string, names: Names) => {
    const response = await fetch(`http://127.0.0.1:${port}/metrics`)
    readings.set(process, countIn(await response.text(), app, names))
  }
  const sidecars = stack.names.filter((name) => name.endsWith('.sidecar'))
  await Promise.allSettled([
    readStatements(stack.mysqlAdminUrl).then((counts) => readings.set('mysql', counts)),
    ...sidecars.flatMap((sidecar) => {
      const app = sidecar.replace('.sidecar', '')
      return [
        metrics(app, stack.process(app).ports.app, app, ofApp),
        metrics(sidecar, stack.process(sidecar).ports.metrics, app, ofSidecar),
      ]
    }),
  ])
  return readings
}

/**
 * How much each counter grew from one reading to the next. One that began anew, its process having been replaced, counts
 * from there.
 */
export const grown = (start: Readings, end: Readings): Record<string, number> => {
  const figures: Record<string, number> = {}
  for (const [source, counts] of end) {
    for (const [what, value] of Object.entries(counts)) {
      const before = start.get(source)?.[what] ?? 0
      const growth = value >= before ? value - before : value
      if (growth > 0) figures[what] = growth
    }
  }
  return figures
}

/**
 * Synchronous invocations for each request to place, and to pay, an order: from the gateway to the service, and what the
 * service invokes, the provider too. What payments asks for other reasons counts as well. Null where there was no such
 * request.
 */
export const invocationsOf = (calls: Record<string, number>) => {
  const sum = (pattern: RegExp) =>
    Object.entries(calls).reduce((total, [key, n]) => (pattern.test(key) ? total + n : total), 0)
  const each = (requests: RegExp, invocations: RegExp) =>
    sum(requests) > 0 ? sum(invocations) / sum(requests) : null
  return {
    perOrderPlaced: each(
      /^gateway.*: serves POST \/v1\/orders$/,
      /^orders.*: (?:serves POST \/operations\/placeOrder|invocations of inventory)$/,
    ),
    perPayment: each(
      /^gateway.*: serves POST \/v1\/orders\/:orderId\/payments$/,
      /^payments.*: (?:serves POST \/operations\/payOrder|invocations of (?:orders|psp))$/,
    ),
  }
}
