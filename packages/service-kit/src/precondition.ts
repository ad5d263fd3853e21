import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { AppError } from './errors.ts'

/** A strong ETag (RFC 9110, 8.8.3): the hash of the bytes. */
export const etagOf = (bytes: Buffer | string): string =>
  `"${createHash('sha256').update(bytes).digest('base64url')}"`

interface Tag {
  readonly isWeak: boolean
  /** With its quotes. */
  readonly opaque: string
}

const tag = /(W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g
const list =
  /^[ \t]*(?:,[ \t]*)*(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"(?:[ \t]*,[ \t]*(?:(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*")?)*[ \t]*$/

/** `*`, or the entity tags of a list; undefined for what is neither. */
const parseTags = (header: string): '*' | readonly Tag[] | undefined => {
  if (header.trim() === '*') return '*'
  if (!list.test(header)) return undefined
  return [...header.matchAll(tag)].map(([, weak, opaque = '']) => ({ isWeak: weak !== undefined, opaque }))
}

/** RFC 9110, 13.1.2: whether a tag is one of the list's, by weak comparison. What is no list matches nothing. */
export const isListed = (ifNoneMatch: string, etag: string): boolean => {
  const given = parseTags(ifNoneMatch)
  return given === '*' || (given?.some(({ opaque }) => opaque === etag.replace(/^W\//, '')) ?? false)
}

/**
 * Throws 412 unless the request's conditions hold for what is there now, `undefined` where nothing is; then 422 where its body has
 * another member of the owner's than is kept. To be called in the transaction of the write, with what the operation would answer
 * if it changed nothing.
 */
export type Precondition = (current: unknown) => void

const failed = (detail: string) =>
  new AppError('conflict', 'request/precondition-failed', detail, { status: 412 })

/**
 * The conditions of a write (RFC 9110, 13.1.1 and 13.1.2): a strong comparison for `If-Match`, a weak one for `If-None-Match`.
 * Throws 400 for a header that is neither `*` nor a list of entity tags.
 */
export const readPrecondition = (
  headers: Pick<IncomingHttpHeaders, 'if-match' | 'if-none-match'>,
  etagOfResult: (current: unknown) => string,
): Precondition => {
  const read = (name: 'if-match' | 'if-none-match') => {
    const header = headers[name]
    const tags = header === undefined ? undefined : parseTags(header)
    if (header !== undefined && tags === undefined)
      throw new AppError('invalid', 'request/malformed-condition', `${name} is * or a list of entity tags`, {
        status: 400,
      })
    return tags
  }
  const ifMatch = read('if-match')
  const ifNoneMatch = read('if-none-match')
  return (current) => {
    if (ifMatch === undefined && ifNoneMatch === undefined) return
    const etag = current === undefined ? undefined : etagOfResult(current)
    if (ifMatch !== undefined) {
      const holds =
        etag !== undefined &&
        (ifMatch === '*' || ifMatch.some(({ isWeak, opaque }) => !isWeak && opaque === etag))
      if (!holds) throw failed(etag ? 'It was changed since' : 'There is none')
    }
    if (ifNoneMatch !== undefined && etag !== undefined) {
      if (ifNoneMatch === '*' || ifNoneMatch.some(({ opaque }) => opaque === etag))
        throw failed('It is there already')
    }
  }
}
