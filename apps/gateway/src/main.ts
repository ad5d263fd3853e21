import { listAccessChanges } from '@caravan/contracts/access'
import { operations } from '@caravan/contracts/all'
import { isPublic } from '@caravan/contracts/operation'
import { createAccessFeed } from '@caravan/service-kit/access-feed'
import { createAccessState } from '@caravan/service-kit/access-state'
import { createAuthenticator } from '@caravan/service-kit/authenticate'
import { createLog } from '@caravan/service-kit/log'
import { listen } from '@caravan/service-kit/run-service'
import { serveMetrics } from '@caravan/service-kit/serve-metrics'
import { createSidecar } from '@caravan/service-kit/sidecar'
import { createAnonymousToken } from './anonymous-token.ts'
import { assertPipeline } from './assert-pipeline.ts'
import { withBulkhead } from './bulkhead.ts'
import { config } from './config.ts'
import { createDocuments } from './documents.ts'
import { createForward } from './forward.ts'
import { createGateway } from './gateway.ts'
import { identityKeys } from './identity-keys.ts'
import { createRateLimitSettings } from './rate-limit-settings.ts'
import { createRateLimiter } from './rate-limits.ts'
import { createReadCache } from './read-cache.ts'
import { createSidecarGrpc } from './sidecar-grpc.ts'

const log = createLog('gateway', config.LOG_LEVEL)
const offered = operations.filter(isPublic)
let draining = false

try {
  // More than the bulkheads of all apps let through together.
  const { SIDECAR_HOST: host, DAPR_API_TOKEN: daprApiToken } = config
  const sidecar = createSidecar({ host, port: config.DAPR_HTTP_PORT, token: daprApiToken, connections: 320 })
  await assertPipeline(sidecar, 30_000)
  const grpc = createSidecarGrpc(host, config.DAPR_GRPC_PORT, daprApiToken)
  const token = createAnonymousToken(grpc.issueToken, log)
  const limiter = createRateLimiter(config.RATE_LIMITS)
  const settings = createRateLimitSettings(config.RATE_LIMITS, grpc.configuration, limiter, log)
  const authenticate = createAuthenticator(identityKeys(sidecar, token), {
    issuer: config.TOKEN_ISSUER,
  })
  const access = createAccessState()
  const feed = createAccessFeed({
    ...{ state: access, log },
    // The own sidecar lets nothing pass without a token, the gateway's own questions neither.
    read: (since, mark) =>
      sidecar.call(
        listAccessChanges,
        { query: { since, ...(mark ? { mark } : {}) } },
        { authorization: `Bearer ${token.current()}` },
      ),
  })
  const app = createGateway({
    ...{ access, feed, config, log, token, limiter, authenticate, operations: offered },
    documents: await createDocuments('0.1.0', offered),
    cache: createReadCache(),
    forward: withBulkhead(createForward(sidecar)),
    healthy: () => !draining,
  })
  if (config.METRICS_PORT) await serveMetrics(config.METRICS_PORT, config.APP_HOST)
  const stops = [token.start(), settings.refresh.start(), feed.start()]
  await listen(app, {
    ...{ port: config.APP_PORT, host: config.APP_HOST, log, lingerMs: config.LINGER_SECONDS * 1000 },
    onDrain: () => {
      draining = true
    },
    close: async () => {
      await Promise.all([...stops.map((stop) => stop()), grpc.close(), sidecar.close()])
    },
  })
  log.info({ port: config.APP_PORT, operations: offered.length, node: process.version }, 'started')
} catch (error) {
  log.fatal({ err: error }, `could not start: ${(error as Error).message}`)
  process.exit(1)
}
