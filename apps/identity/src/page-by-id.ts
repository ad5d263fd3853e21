/** Of rows in the order of their ids, one more than fit on it where there is one: keyset paging, by the last id. */
export const pageById = <T extends { readonly id: string }>(rows: readonly T[], limit: number) => {
  const data = rows.slice(0, limit)
  const hasMore = rows.length > limit
  const last = data.at(-1)
  return { data, hasMore, ...(hasMore && last ? { next: last.id } : {}) }
}
