import { listAccessChanges } from '@caravan/contracts/access'
import { operations } from '@caravan/contracts/all'
import { isPublic } from '@caravan/contracts/operation'
import { createAccessFeed } from '@caravan/service-kit/access-feed'
import { createAccessState } from '@caravan/service-kit/access-state'
import { createAuthenticator, remoteKeys } from '@caravan/service-kit/authenticate'
import { createLog } from '@caravan/service-kit/log'
import { listen } from '@caravan/service-kit/run-service'
import { createSidecar } from '@caravan/service-kit/sidecar'
import { createAnonymousToken } from './anonymous-token.ts'
import { assertPipeline } from './assert-pipeline.ts'
import { withBulkhead } from './bulkhead.ts'
import { config } from './config.ts'
import { createDocuments } from './documents.ts'
import { createForward } from './forward.ts'
import { createGateway } from './gateway.ts'
import { createTokenIssuer } from './issue-token.ts'
import { createReadCache } from './read-cache.ts'

const log = createLog('gateway', config.LOG_LEVEL)
const offered = operations.filter(isPublic)
let draining = false

try {
  // More than the bulkheads of all apps let through together.
  const sidecar = createSidecar({
    port: config.DAPR_HTTP_PORT,
    token: config.DAPR_API_TOKEN,
    connections: 320,
  })
  await assertPipeline(sidecar, 30_000)
  const issuer = createTokenIssuer(config.DAPR_GRPC_PORT, config.DAPR_API_TOKEN)
  const token = createAnonymousToken(issuer.issue, log)
  // The sidecar lets nothing pass without a token, the gateway's own questions neither.
  const asOurselves = () => {
    const current = token.current()
    return current ? { authorization: `Bearer ${current}` } : {}
  }
  const access = createAccessState()
  const feed = createAccessFeed({
    ...{ state: access, log },
    read: (since) => sidecar.call(listAccessChanges, { query: { since } }, asOurselves()),
  })
  const app = createGateway({
    ...{ access, feed },
    authenticate: createAuthenticator(remoteKeys(sidecar, asOurselves), { issuer: config.TOKEN_ISSUER }),
    ...{ config, log, token, operations: offered },
    documents: await createDocuments('0.1.0', offered),
    cache: createReadCache(),
    forward: withBulkhead(createForward(sidecar)),
    healthy: () => !draining,
  })
  const stops = [token.start(), feed.start()]
  await listen(app, {
    ...{ port: config.APP_PORT, host: config.APP_HOST, log },
    onDrain: () => {
      draining = true
    },
    close: async () => {
      await Promise.all([...stops.map((stop) => stop()), issuer.close(), sidecar.close()])
    },
  })
  log.info({ port: config.APP_PORT, operations: offered.length, node: process.version }, 'started')
} catch (error) {
  log.fatal({ err: error }, `could not start: ${(error as Error).message}`)
  process.exit(1)
}
