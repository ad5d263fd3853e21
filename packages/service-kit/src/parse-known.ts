import type { z } from 'zod'

interface Issue {
  readonly code: string
  readonly path: readonly PropertyKey[]
  readonly keys?: readonly string[]
}

const without = (value: unknown, issues: readonly Issue[]): unknown => {
  const copy = structuredClone(value)
  for (const { path, keys = [] } of issues) {
    const holder = path.reduce((at, key) => (at as Record<PropertyKey, unknown>)[key], copy)
    for (const key of keys) delete (holder as Record<string, unknown>)[key]
  }
  return copy
}

/**
 * Parses what another service wrote: fields that are not known here are left out, at any depth, since its version may be
 * newer than ours. What a client sends is parsed by its strict schema instead, so that a misspelt field is told.
 */
export const parseKnown = <T extends z.ZodType>(
  schema: T,
  value: unknown,
): z.ZodSafeParseResult<z.output<T>> => {
  const result = schema.safeParse(value)
  if (result.success) return result
  const issues: readonly Issue[] = result.error.issues
  return issues.every(({ code }) => code === 'unrecognized_keys')
    ? schema.safeParse(without(value, issues))
    : result
}
