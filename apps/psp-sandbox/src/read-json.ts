import type { Context } from 'koa'
import { Problem } from './problem.ts'

const LIMIT_BYTES = 16 * 1024
/** Refuses what is not UTF-8; a Buffer would put U+FFFD in its place. */
const utf8 = new TextDecoder('utf-8', { fatal: true })

/** The parsed JSON body. Throws 415, 413 or 400; the schema is the caller's to check. */
export async function readJson(ctx: Context): Promise<unknown> {
  if (!ctx.is('application/json')) throw new Problem(415, 'unsupported-media-type', 'Send application/json')
  if (!/^(?:utf-?8)?$/i.test(ctx.request.charset))
    throw new Problem(415, 'unsupported-media-type', 'Send UTF-8')
  const bytes = await readBytes(ctx)
  try {
    return JSON.parse(utf8.decode(bytes))
  } catch {
    throw new Problem(400, 'malformed-json', 'The body is not JSON in UTF-8')
  }
}

const tooLarge = () => new Problem(413, 'body-too-large', `A body may have ${LIMIT_BYTES} bytes`)

async function readBytes(ctx: Context): Promise<Buffer> {
  if (Number(ctx.get('content-length')) > LIMIT_BYTES) throw tooLarge()
  const chunks: Buffer[] = []
  let size = 0
  try {
    // Past the limit the rest is read and forgotten: leaving the loop would reset the connection before the answer.
    for await (const chunk of ctx.req) {
      size += chunk.length
      if (size <= LIMIT_BYTES) chunks.push(chunk)
    }
  } catch {
    throw new Problem(400, 'incomplete-body', 'The body ended too soon')
  }
  if (size > LIMIT_BYTES) throw tooLarge()
  return Buffer.concat(chunks)
}
