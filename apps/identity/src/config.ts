import { baseConfig, readConfig } from '@caravan/service-kit/config'
import { z } from 'zod'

export const config = readConfig(
  baseConfig.extend({
    /** Life of a signed-in account's access token. */
    ACCESS_TOKEN_SECONDS: z.coerce.number().int().min(1).max(86_400).default(900),
  }),
)
