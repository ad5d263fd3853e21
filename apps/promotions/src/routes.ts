import {
  deleteCode,
  exportCodes,
  getCode,
  getCodeBatch,
  inquireCodes,
  listCodeBatches,
  listCodes,
  makeCodes,
  putCode,
} from '@caravan/contracts/codes'
import {
  getPromotion,
  listPromotionChanges,
  listPromotions,
  putPromotion,
} from '@caravan/contracts/promotions'
import { redeem } from '@caravan/contracts/redemptions'
import { type Route, route } from '@caravan/service-kit/route'
import type { CodeBatchStore } from './code-batch-store.ts'
import type { CodeStore } from './code-store.ts'
import type { createInquireCodes } from './inquire-codes.ts'
import type { PromotionStore } from './promotion-store.ts'
import type { RedemptionStore } from './redemption-store.ts'
import { resolveWindow } from './window.ts'

/** Codes in a page of a file. */
const exported = 5000

interface Parts {
  readonly promotions: PromotionStore
  readonly codes: CodeStore
  readonly batches: CodeBatchStore
  readonly redemptions: RedemptionStore
  readonly inquire: ReturnType<typeof createInquireCodes>
}

export const routes = ({ promotions, codes, batches, redemptions, inquire }: Parts): Route[] => [
  route(putPromotion, ({ params, body, precondition }) =>
    promotions.put(params.promotionId, body, resolveWindow(body.window), precondition),
  ),
  route(getPromotion, ({ params }) => promotions.get(params.promotionId)),
  route(listPromotions, ({ query: { limit, after } }) => promotions.list(limit, after)),
  route(listPromotionChanges, ({ query }) => promotions.changes(query)),

  route(putCode, ({ params: { promotionId, code }, body, precondition }) =>
    codes.put(promotionId, code, body, precondition),
  ),
  route(getCode, ({ params: { promotionId, code } }) => codes.get(promotionId, code)),
  route(deleteCode, async ({ params: { promotionId, code }, precondition }) => {
    await codes.withdraw(promotionId, code, precondition)
    return undefined
  }),
  route(listCodes, ({ params, query }) => codes.list(params.promotionId, query)),

  route(exportCodes, ({ params, query }) => codes.list(params.promotionId, { ...query, limit: exported })),

  route(makeCodes, ({ params, body, once }) => batches.order(params.promotionId, body, once)),
  route(listCodeBatches, ({ params, query: { limit, after } }) =>
    batches.list(params.promotionId, limit, after),
  ),
  route(getCodeBatch, ({ params }) => batches.get(params.promotionId, params.batchId)),

  route(inquireCodes, ({ body }) => inquire(body.customer, body.codes)),
  route(redeem, ({ body }) => redemptions.redeem(body)),
]
