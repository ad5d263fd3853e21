import { Readable } from 'node:stream'
import type { Operation } from '@caravan/contracts/operation'
import { parseJson } from '@caravan/service-kit/body'
import type { Context } from 'koa'
import type { z } from 'zod'
import type { Answer } from './answer.ts'
import { csvRecord } from './csv.ts'
import { unavailable } from './forward.ts'

type Row = Readonly<Record<string, unknown>>
interface Page {
  readonly data: readonly Row[]
  readonly next?: string
}

/** The members of a page's items, in the order of the contract. */
const columnsOf = ({ response }: Pick<Operation, 'response'>): string[] => {
  const { data } = (response as z.ZodObject<{ data: z.ZodArray<z.ZodObject> }>).shape
  return Object.keys(data.element.shape)
}

/**
 * Answers with all pages of a list as one file, one after another, as fast as the client takes them; `ask` gets the page after a
 * position. Each page is a whole answer of the app, which a stream through sidecars need not be (ADR 27). When one cannot be had
 * any more the connection breaks off, so that nobody takes what came for all of it. What is not allowed or not there is the first
 * page's answer, as it came.
 */
export const streamFile = async (
  ctx: Context,
  operation: Operation,
  first: Answer,
  ask: (after: string) => Promise<Answer>,
): Promise<void> => {
  const columns = columnsOf(operation)
  const read = ({ status, body }: Answer): Page => {
    if (status !== operation.status)
      throw unavailable(operation.app, `status ${status} in the middle of a file`)
    return parseJson(body) as Page
  }
  const records = async function* () {
    yield csvRecord(columns)
    for (let page = read(first); ; page = read(await ask(page.next))) {
      yield page.data.map((row) => csvRecord(columns.map((name) => row[name]))).join('')
      if (page.next === undefined) return
    }
  }
  ctx.status = 200
  ctx.set({
    'Content-Type': `${operation.file}; charset=utf-8`,
    'Content-Disposition': `attachment; filename="${ctx.path.split('/').at(-1)}"`,
  })
  ctx.body = Readable.from(records())
}
