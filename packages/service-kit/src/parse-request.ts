import type { Operation } from '@caravan/contracts/operation'
import type { z } from 'zod'
import { AppError } from './errors.ts'

/** RFC 6901. */
const pointerOf = (part: 'body' | 'query' | 'params', path: readonly PropertyKey[]): string => {
  const pointer = path.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
  return part === 'body' ? pointer : `${part}${pointer}`
}

/** Parses one part of a request. Throws 422 with a pointer to each faulty field. */
export const parse = (
  schema: z.ZodType | undefined,
  part: 'body' | 'query' | 'params',
  value: unknown,
  code: string,
): unknown => {
  if (!schema) return undefined
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const errors = result.error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({ pointer: pointerOf(part, [...issue.path, key]), detail: 'unknown field' }))
      : [{ pointer: pointerOf(part, issue.path), detail: issue.message }],
  )
  throw new AppError('invalid', code, 'The request does not match its schema', { errors })
}

/** A path's parameters in their one spelling; as they came where one is not valid, which `parse` tells. */
export const canonicalParams = (
  { params }: Pick<Operation, 'params'>,
  given: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> => (params?.safeParse(given).data as typeof given | undefined) ?? given
