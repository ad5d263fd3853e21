import { z } from 'zod'

const environment = z.object({
  PORT: z
    .string()
    .regex(/^\d{1,5}$/, 'must be a port number')
    .transform(Number),
  HOST: z.string().default('127.0.0.1'),
  PSP_SECRET_KEY: z.string().min(16),
  PSP_WEBHOOK_SECRET: z.string().min(16),
  PSP_WEBHOOK_URL: z.url({ protocol: /^https?$/ }),
  PSP_DATABASE: z.string().min(1),
})

export type Config = {
  /** 0 lets the system choose; the chosen one is logged. */
  port: number
  host: string
  secretKey: string
  webhookSecret: string
  webhookUrl: string
  database: string
}

/** The one reader of the environment. Throws an error that names every bad variable and shows no value. */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const read = environment.safeParse(env)
  if (!read.success) {
    const faults = read.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
    throw new Error(`bad environment: ${faults.join('; ')}`)
  }
  return {
    port: read.data.PORT,
    host: read.data.HOST,
    secretKey: read.data.PSP_SECRET_KEY,
    webhookSecret: read.data.PSP_WEBHOOK_SECRET,
    webhookUrl: read.data.PSP_WEBHOOK_URL,
    database: read.data.PSP_DATABASE,
  }
}
