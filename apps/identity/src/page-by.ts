/** Of rows in the order of a key, one more than fit on the page where there is one: keyset paging, by the key of the last. */
export const pageBy = <T>(rows: readonly T[], limit: number, keyOf: (row: T) => string) => {
  const data = rows.slice(0, limit)
  const hasMore = rows.length > limit
  const last = data.at(-1)
  return { data, hasMore, ...(hasMore && last !== undefined ? { next: keyOf(last) } : {}) }
}
