const inOrder = (_: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value

/** One text for equal JSON values, however they were written: members by name, no space (after RFC 8785). */
export const canonicalJson = (value: unknown): string => JSON.stringify(value, inOrder)
