import { codesOperations } from '@caravan/contracts/codes'
import { promotionsOperations } from '@caravan/contracts/promotions'
import { redemptionsOperations } from '@caravan/contracts/redemptions'
import { every } from '@caravan/service-kit/background'
import { runService } from '@caravan/service-kit/run-service'
import { createCodeBatchStore } from './code-batch-store.ts'
import { createCodeGuessStore } from './code-guess-store.ts'
import { codeMaking } from './code-making.ts'
import { createCodeStore } from './code-store.ts'
import { config } from './config.ts'
import { createInquireCodes } from './inquire-codes.ts'
import { createPromotionStore } from './promotion-store.ts'
import { createRedemptionStore } from './redemption-store.ts'
import { redemptionSweep, redemptionTrim } from './redemption-sweep.ts'
import { routes } from './routes.ts'
import { subscriptions } from './subscriptions.ts'

await runService({
  name: 'promotions',
  config,
  operations: [...promotionsOperations, ...codesOperations, ...redemptionsOperations],
  migrations: new URL('../migrations/', import.meta.url),
  build: ({ db, sidecar, outbox, log }) => {
    const promotions = createPromotionStore(db, outbox)
    const codes = createCodeStore(db)
    const batches = createCodeBatchStore(db)
    const redemptions = createRedemptionStore(db)
    const guesses = createCodeGuessStore(db, {
      guesses: config.MAX_CODE_GUESSES,
      windowSeconds: config.CODE_GUESS_WINDOW_SECONDS,
    })
    const tools = { sidecar, log }
    return {
      routes: routes({
        promotions,
        codes,
        batches,
        redemptions,
        inquire: createInquireCodes(codes, guesses),
      }),
      subscriptions: subscriptions(redemptions),
      background: [
        codeMaking(batches, tools),
        redemptionSweep(redemptions, tools),
        redemptionTrim(redemptions, config.REDEMPTION_RETENTION_DAYS, tools),
        every(60_000, 'trim-guesses', log, guesses.trim),
      ],
    }
  },
})
