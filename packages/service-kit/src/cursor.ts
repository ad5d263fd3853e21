import type { z } from 'zod'
import { decodeText } from './decode-text.ts'
import { AppError } from './errors.ts'
import { fitting } from './fitting.ts'

/** An opaque position in a list: the sort key of the last row that was shown. */
export const encodeCursor = (position: readonly (string | number)[]): string =>
  Buffer.from(JSON.stringify(position)).toString('base64url')

export const invalidCursor = (app: string, detail: string, cause?: unknown): AppError =>
  new AppError('invalid', `${app}/invalid-request`, 'The cursor is not good', {
    errors: [{ pointer: 'query/after', detail }],
    cause,
  })

/** The position that a cursor stands for. Throws 422 for what this app did not hand out. */
export const decodeCursor = <T extends z.ZodType>(app: string, schema: T, cursor: string): z.output<T> => {
  try {
    return schema.parse(JSON.parse(decodeText(Buffer.from(cursor, 'base64url'))))
  } catch (cause) {
    throw invalidCursor(app, 'not a cursor', cause)
  }
}

/** One page out of `limit + 1` rows, or less where they are large: the one too many tells that there are more, without a count. */
export const toPage = <R, T>(
  rows: readonly R[],
  limit: number,
  present: (row: R) => T,
  position: (row: R) => readonly (string | number)[],
): { data: T[]; hasMore: boolean; next?: string } => {
  const data = fitting(rows.slice(0, limit).map(present))
  const last = rows[data.length - 1]
  const hasMore = rows.length > data.length
  return {
    data,
    hasMore,
    ...(hasMore && last !== undefined ? { next: encodeCursor(position(last)) } : {}),
  }
}
