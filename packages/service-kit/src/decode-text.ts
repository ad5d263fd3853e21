import { AppError } from './errors.ts'

const decoder = new TextDecoder('utf-8', { fatal: true })

/**
 * Bytes from outside as text. The one place that decodes them: Buffer and `Response.text()` put U+FFFD where bytes are not UTF-8, and
 * what was sent is lost without a word. A byte order mark is no part of the text. Throws 400.
 */
export const decodeText = (bytes: Uint8Array): string => {
  try {
    return decoder.decode(bytes)
  } catch (cause) {
    throw new AppError('invalid', 'request/not-utf-8', 'Send UTF-8', { status: 400, cause })
  }
}

/** The text that bytes are in UTF-8; undefined where they are not. */
export const utf8Of = (bytes: Uint8Array): string | undefined => {
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}

/** Throws 415 for a content type that names another charset than UTF-8 (RFC 8259, 8.1). */
export const assertUtf8 = (contentType = ''): void => {
  const charset = /;\s*charset\s*=\s*"?([^\s;"]*)/i.exec(contentType)?.[1] ?? 'utf-8'
  if (/^utf-?8$/i.test(charset)) return
  throw new AppError('invalid', 'request/other-charset', 'Send UTF-8', { status: 415 })
}

/**
 * A query string as its parameters; one that comes twice is a list. Node's own parsers keep a `%` that is no escape and repair
 * escapes that are not UTF-8. Throws 400.
 */
export const decodeQuery = (query: string): Record<string, string | string[]> => {
  const found: Record<string, string | string[]> = Object.create(null)
  for (const pair of query.split('&').filter((each) => each !== '')) {
    const mark = pair.indexOf('=')
    const name = decodePart(mark < 0 ? pair : pair.slice(0, mark))
    const value = mark < 0 ? '' : decodePart(pair.slice(mark + 1))
    found[name] = name in found ? [found[name] ?? [], value].flat() : value
  }
  return found
}

const decodePart = (part: string): string => {
  try {
    if (/^[\x20-\x7e]*$/.test(part)) return decodeURIComponent(part.replaceAll('+', ' '))
  } catch {
    // As below.
  }
  throw new AppError('invalid', 'request/not-utf-8', 'Escape what is not ASCII, in UTF-8', { status: 400 })
}
