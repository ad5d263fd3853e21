import { z } from 'zod'
import { id, instant, page, paging } from './common.ts'
import { operation } from './operation.ts'
import { count } from './promotions.ts'
import { takingBack } from './taking-back.ts'

const app = 'promotions'
const staff = { roles: ['catalogue-manager'] } as const

/** Taken in either case and with blanks around it, as people copy it; kept and told in capitals. */
export const code = z
  .string()
  .regex(/^ *[A-Za-z0-9](?:[A-Za-z0-9-]{0,38}[A-Za-z0-9]) *$/, 'letters, digits and - between them')
  .max(60)
  .meta({ description: 'Of a coupon', examples: ['WELCOME10'] })
  .trim()
  .toUpperCase()

const codeContent = z.strictObject({
  status: z.enum(['active', 'paused']),
  /** How many orders may have it. Without it: as many as the promotion allows. */
  uses: count.optional(),
  /** The only account that may use it. */
  customer: id.optional(),
})

const couponCode = z.strictObject({
  code,
  ...codeContent.shape,
  promotionId: id,
  /** Of the batch that it was made in. */
  batchId: id.optional(),
  createdAt: instant,
})
export type CouponCode = z.infer<typeof couponCode>

/** `used`: how many orders have it, those that are not paid yet too. */
const countedCode = couponCode.extend({ used: z.int() })

const promotionParams = z.strictObject({ promotionId: id })
const codeParams = promotionParams.extend({ code })

export const putCode = operation({
  app,
  id: 'putCode',
  method: 'PUT',
  path: '/v1/promotions/{promotionId}/codes/{code}',
  summary:
    'Create or replace a code of a promotion; it is this promotion’s for ever. Takes back what getCode gave',
  access: staff,
  status: 200,
  tagged: true,
  params: codeParams,
  body: takingBack(codeContent, couponCode, { named: { promotionId: 'promotionId', code: 'code' } }),
  response: couponCode,
  problems: {
    'promotions/not-found': 404,
    'promotions/not-by-code': 409,
    'promotions/code-taken': 409,
    /** More orders have it by now: pause it instead. */
    'promotions/limit-passed': 409,
  },
})

const noSuchCode = { 'promotions/code-not-found': 404 } as const

export const getCode = operation({
  app,
  id: 'getCode',
  method: 'GET',
  path: '/v1/promotions/{promotionId}/codes/{code}',
  summary: 'One code',
  access: staff,
  status: 200,
  tagged: true,
  params: codeParams,
  response: couponCode,
  problems: noSuchCode,
})

export const deleteCode = operation({
  app,
  id: 'deleteCode',
  method: 'DELETE',
  path: '/v1/promotions/{promotionId}/codes/{code}',
  summary: 'Withdraw a code; orders that have it keep their discount',
  access: staff,
  status: 204,
  tagged: couponCode,
  params: codeParams,
  problems: noSuchCode,
})

const ofBatch = { batchId: id.optional() }

export const listCodes = operation({
  app,
  id: 'listCodes',
  method: 'GET',
  path: '/v1/promotions/{promotionId}/codes',
  summary: 'The codes of a promotion in their order, with how often each is used',
  access: staff,
  status: 200,
  params: promotionParams,
  query: paging.extend({ after: code.optional(), ...ofBatch }),
  response: page(countedCode),
})

export const exportCodes = operation({
  app,
  id: 'exportCodes',
  method: 'GET',
  path: '/v1/promotions/{promotionId}/codes.csv',
  summary: 'The codes of a promotion, or of one batch, as a file',
  access: staff,
  status: 200,
  file: 'text/csv',
  params: promotionParams,
  query: z.strictObject({ after: code.optional(), ...ofBatch }),
  response: page(countedCode),
})

const batchContent = z.strictObject({
  count: z.int().min(1).max(100_000),
  /** What each begins with. */
  prefix: z
    .string()
    .regex(/^[A-Z0-9](?:[A-Z0-9-]{0,14}[A-Z0-9-])?$/)
    .optional(),
  /** How many random characters follow: of 22 letters and digits that do not look alike and make no words. */
  length: z.int().min(8).max(24).default(10),
  /** How many orders may have each. */
  uses: count.default(1),
})

/** `made`: how many there are by now. */
const codeBatch = batchContent.extend({ id, promotionId: id, made: z.int(), createdAt: instant })
export type CodeBatch = z.infer<typeof codeBatch>

export const makeCodes = operation({
  app,
  id: 'makeCodes',
  method: 'POST',
  path: '/v1/promotions/{promotionId}/code-batches',
  summary: 'Have many random codes made, each another; a hundred thousand take some seconds',
  access: staff,
  status: 201,
  idempotent: true,
  params: promotionParams,
  body: batchContent,
  response: codeBatch,
  problems: { 'promotions/not-found': 404, 'promotions/not-by-code': 409 },
  example: { body: { count: 100_000, prefix: 'TEA-' } },
})

export const listCodeBatches = operation({
  app,
  id: 'listCodeBatches',
  method: 'GET',
  path: '/v1/promotions/{promotionId}/code-batches',
  summary: 'The batches of a promotion’s codes, the newest first',
  access: staff,
  status: 200,
  params: promotionParams,
  query: paging.extend({ after: id.optional() }),
  response: page(codeBatch),
})

export const getCodeBatch = operation({
  app,
  id: 'getCodeBatch',
  method: 'GET',
  path: '/v1/promotions/{promotionId}/code-batches/{batchId}',
  summary: 'One batch, and how many of its codes are made',
  access: staff,
  status: 200,
  params: promotionParams.extend({ batchId: id }),
  response: codeBatch,
  problems: { 'promotions/batch-not-found': 404 },
})

/** Of one customer at once. */
const codes = z.array(code).min(1).max(5)
/** An account's id, or what else stands for one person. */
export const customer = z.string().regex(/^[\x21-\x7e]{1,64}$/)

/**
 * What is not found may be wrong, deleted, paused, of a promotion that is paused or somebody else's: nobody learns which. A code
 * never becomes another promotion's, so what was found may be remembered; `redeem` asks again whether it still counts.
 */
export const inquireCodes = operation({
  app,
  id: 'inquireCodes',
  method: 'POST',
  path: '/v1/code-inquiries',
  summary: 'Which promotions a customer’s codes are of; who guesses has to wait',
  access: { apps: ['orders'] },
  status: 200,
  body: z.strictObject({ customer, codes }),
  response: z.discriminatedUnion('outcome', [
    z.object({
      outcome: z.literal('answered'),
      /** In the order of the question. */
      data: z.array(
        z.discriminatedUnion('outcome', [
          z.object({ code, outcome: z.literal('found'), promotionId: id }),
          z.object({ code, outcome: z.literal('not-found') }),
        ]),
      ),
    }),
    z.object({ outcome: z.literal('too-many'), retryAfterSeconds: z.int() }),
  ]),
})

export const codesOperations = [
  putCode,
  getCode,
  deleteCode,
  listCodes,
  exportCodes,
  makeCodes,
  listCodeBatches,
  getCodeBatch,
] as const
