import { baseConfig, readConfig } from '@caravan/service-kit/config'
import { z } from 'zod'

export const config = readConfig(
  baseConfig.extend({
    /** Days that a released redemption is kept. An event of its order may be sent again for a week. */
    REDEMPTION_RETENTION_DAYS: z.coerce.number().int().min(8).max(3650).default(90),
    /** Wrong codes that a customer may ask for in a window; a question has up to five. */
    MAX_CODE_GUESSES: z.coerce.number().int().min(5).max(10_000).default(20),
    CODE_GUESS_WINDOW_SECONDS: z.coerce.number().int().min(1).max(86_400).default(600),
  }),
)
