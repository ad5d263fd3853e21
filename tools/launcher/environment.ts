import { availableParallelism } from 'node:os'
import type { Secrets, Tokens } from './secrets.ts'
import type { Replica } from './topology.ts'

export type Environment = Record<string, string>

const ours =
  /^(npm_|NODE_TEST_CONTEXT$|NODE_CHANNEL_|SECRETS_FILE$|REDIS_HOST$|(APP|DAPR)_API_TOKEN$|STACK_PROFILE$|TEST_)/i

/** The caller's environment without npm's, the test runner's and any of a shop's own secrets. */
export const inherited = (from: NodeJS.ProcessEnv = process.env): Environment =>
  Object.fromEntries(
    Object.entries(from).flatMap(([name, value]) =>
      value === undefined || ours.test(name) ? [] : [[name, value]],
    ),
  )

/** What app and sidecar share. No password and no address of a store: only the sidecar gets those. */
export const appEnvironment = (app: Replica, tokens: Tokens, shared: Environment): Environment => ({
  ...shared,
  APP_ID: app.appID,
  APP_PORT: String(app.appPort),
  DAPR_HTTP_PORT: String(app.daprHTTPPort),
  DAPR_GRPC_PORT: String(app.daprGRPCPort),
  APP_API_TOKEN: tokens.app,
  DAPR_API_TOKEN: tokens.dapr,
})

/** All clients of a local stack have one address, and tests and loads are many clients. */
export const localRateLimits = JSON.stringify({
  account: { quota: 2000, windowSeconds: 1 },
  address: { quota: 20_000, windowSeconds: 1 },
  cached: { quota: 1_000_000, windowSeconds: 1 },
  webhook: { quota: 20_000, windowSeconds: 1 },
})

/** What every app and sidecar of a stack knows. A value that the caller has set wins. */
export const sharedEnvironment = (
  ports: { gateway: number; identity: number },
  nameFile: string,
): Environment => ({
  TOKEN_ISSUER: process.env.TOKEN_ISSUER ?? `http://127.0.0.1:${ports.gateway}`,
  IDENTITY_JWKS_URL: `http://127.0.0.1:${ports.identity}/operations/getKeys`,
  RATE_LIMITS: process.env.RATE_LIMITS ?? localRateLimits,
  NAME_RESOLUTION_DB: nameFile,
})

/**
 * What turns component files into this stack's; DAPR_HOST_IP is the address that name resolution gives to callers. The Go
 * settings are for many sidecars on one machine: one thread each, and a collection less often than at each doubling of a small heap.
 */
export const sidecarOnly = (secretsFile: string, ports: { redis: number; smtp: number }): Environment => ({
  GOMAXPROCS: process.env.GOMAXPROCS ?? String(Math.ceil(availableParallelism() / 8)),
  GOGC: process.env.GOGC ?? '300',
  GOMEMLIMIT: process.env.GOMEMLIMIT ?? '128MiB',
  SECRETS_FILE: secretsFile,
  REDIS_HOST: `127.0.0.1:${ports.redis}`,
  SMTP_HOST: '127.0.0.1',
  SMTP_PORT: String(ports.smtp),
  SMTP_USER: '',
  MAIL_FROM: 'shop@caravan.example',
  DAPR_HOST_IP: '127.0.0.1',
  // Where an app has one replica; which of several it is, where it has more.
  POD_NAME: '1',
})

/** The card provider is no part of the shop: it knows its own keys and where to send webhooks. */
export const providerEnvironment = (secrets: Secrets, gatewayUrl: string, file: string): Environment => ({
  PSP_SECRET_KEY: (secrets['psp-authorization'] ?? '').replace(/^Bearer /, ''),
  PSP_WEBHOOK_SECRET: secrets['psp-webhook-secret'] ?? '',
  PSP_WEBHOOK_URL: `${gatewayUrl}/v1/webhooks/psp`,
  PSP_DATABASE: file,
})
