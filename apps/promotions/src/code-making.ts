import { type Background, everyAsLeader } from '@caravan/service-kit/background'
import type { Tools } from '@caravan/service-kit/run-service'
import type { CodeBatchStore } from './code-batch-store.ts'

/** Transactions in a row: what drains waits for no more than these. */
const rounds = 5

/** Makes the codes that were ordered. Beside its leader another may do so too: it takes turns at the batch's lock. */
export const codeMaking = (batches: Pick<CodeBatchStore, 'makeSome'>, tools: Tools): Background =>
  everyAsLeader(1000, 'code-making', tools, async () => {
    for (let round = 0; round < rounds && (await batches.makeSome()); round += 1);
  })
