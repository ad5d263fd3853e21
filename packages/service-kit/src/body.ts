import type { IncomingMessage } from 'node:http'
import getRawBody from 'raw-body'
import { decodeText } from './decode-text.ts'
import { AppError } from './errors.ts'

/** Of every request: at the door and behind it, so that what the one takes the other does not refuse. */
export const maxBodyBytes = 262_144

/** The request's body, at most `limit` bytes. Throws 413, and 415 for one in a content coding, which nobody here would undo. */
export const readBody = async (request: IncomingMessage, limit: number): Promise<Buffer> => {
  const { 'content-encoding': coding = 'identity', 'content-length': length = null } = request.headers
  if (coding !== 'identity')
    throw new AppError('invalid', 'request/encoded', 'Send the body as it is', { status: 415 })
  try {
    return await getRawBody(request, { limit, length })
  } catch (cause) {
    if ((cause as { type?: string }).type !== 'entity.too.large') {
      throw new AppError('invalid', 'request/aborted', 'The body did not arrive', { status: 400, cause })
    }
    // Node reads the rest and forgets it, until its requestTimeout: a connection that closes now may take the answer with it.
    throw new AppError('invalid', 'request/too-large', `A body has at most ${limit} bytes`, {
      status: 413,
      cause,
    })
  }
}

/** Throws 415 for a content type that is not JSON's. */
export const assertJson = (contentType: string): void => {
  if (/^application\/([\w.-]+\+)?json\b/i.test(contentType)) return
  throw new AppError('invalid', 'request/not-json', 'Send application/json', { status: 415 })
}

/** Throws 400 for what is no JSON in UTF-8. */
export const parseJson = (raw: Uint8Array): unknown => {
  const text = decodeText(raw)
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new AppError('invalid', 'request/malformed-json', 'The body is not JSON', {
      status: 400,
      errors: [{ pointer: '', detail: 'not JSON' }],
      cause,
    })
  }
}
