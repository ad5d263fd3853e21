import { baseConfig, readConfig } from '@caravan/service-kit/config'
import { z } from 'zod'

export const config = readConfig(
  baseConfig.extend({
    /** Days that an ended reservation is kept. An event of its order may be sent again for a week. */
    RESERVATION_RETENTION_DAYS: z.coerce.number().int().min(8).max(3650).default(90),
  }),
)
