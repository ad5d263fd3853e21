import { z } from 'zod'
import { armFailpoints } from './failpoint.ts'

const port = z.coerce.number().int().min(1).max(65_535)

/** What every service needs from its environment; the Dapr CLI and the launcher set the ports and tokens. */
export const baseConfig = z.object({
  APP_PORT: port,
  DAPR_HTTP_PORT: port,
  DAPR_GRPC_PORT: port,
  /** Proves to the app that a call came through its sidecar. */
  APP_API_TOKEN: z.string().min(16),
  /** Proves to the sidecar that a call came from its app. */
  DAPR_API_TOKEN: z.string().min(16),
  /** `iss` of the tokens that are accepted. */
  TOKEN_ISSUER: z.url(),
  /** Where the app listens: an address, or a name of its own. */
  APP_HOST: z.string().default('127.0.0.1'),
  /** Where its sidecar listens. */
  SIDECAR_HOST: z.string().default('127.0.0.1'),
  /** How long sent outbox rows and inbox rows are kept; longer than the broker may redeliver. A week unless said otherwise. */
  EVENT_RETENTION_MINUTES: z.coerce.number().int().min(5).default(10_080),
  /** How long a repeated request gets its first answer; two days unless said otherwise. */
  IDEMPOTENCY_RETENTION_MINUTES: z.coerce.number().int().min(5).default(2880),
  /** How long one SQL statement may take; longer than a lock is waited for, which is 5 s. */
  STATEMENT_SECONDS: z.coerce.number().int().min(1).max(3600).default(6),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
})
export type BaseConfig = z.infer<typeof baseConfig>

/**
 * Reads and checks the environment once, at start. Prints every fault on a line of its own and ends the process with 78
 * (EX_CONFIG of sysexits.h); a value is never printed.
 */
export const readConfig = <T extends z.ZodType>(
  schema: T,
  env: NodeJS.ProcessEnv = process.env,
): z.output<T> => {
  const result = schema.safeParse(env)
  if (env.FAILPOINTS) armFailpoints(env.FAILPOINTS, String(env.APP_ID))
  if (result.success) return result.data
  for (const issue of result.error.issues) {
    process.stderr.write(`configuration: ${issue.path.join('.')}: ${issue.message}\n`)
  }
  process.exit(78)
}
