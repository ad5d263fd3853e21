/** Of an answer's list: daprd carries 4 MiB between two apps. */
const mostBytes = 2_097_152

/** As many of the items, from the first on, as fit into an answer as JSON; one at least. The rest is the next page's. */
export const fitting = <T>(items: readonly T[], bytes = mostBytes): T[] => {
  let room = bytes
  const end = items.findIndex((item) => {
    room -= Buffer.byteLength(JSON.stringify(item)) + 1
    return room < 0
  })
  return end < 0 ? [...items] : items.slice(0, Math.max(1, end))
}
