import { posix } from 'node:path'

/** The files that each file imports, by their paths in the repository; types count, since who reads them reads all. */
export type Imports = ReadonlyMap<string, readonly string[]>

/** Where an import of a file leads; undefined when that is a package from outside. */
export const resolved = (file: string, from: string): string | undefined => {
  if (from.startsWith('.')) return posix.join(posix.dirname(file), from)
  const [, name, path] = /^@caravan\/([\w-]+)\/(.+)$/.exec(from) ?? []
  return name && `packages/${name}/src/${path}.ts`
}

/** Groups of files each of which leads to all others of its group (Tarjan, 1972). */
export const circles = (imports: Imports): string[][] => {
  const found: string[][] = []
  const order = new Map<string, number>()
  const lowest = new Map<string, number>()
  const path: string[] = []
  const visit = (file: string): number => {
    const own = order.size
    order.set(file, own)
    path.push(file)
    let low = own
    for (const next of imports.get(file) ?? []) {
      if (!order.has(next)) low = Math.min(low, visit(next))
      else if (path.includes(next)) low = Math.min(low, lowest.get(next) ?? own, order.get(next) ?? own)
    }
    lowest.set(file, low)
    if (low < own) return low
    const group = path.splice(path.indexOf(file))
    if (group.length > 1 || imports.get(file)?.includes(file)) found.push(group.sort())
    return low
  }
  for (const file of imports.keys()) if (!order.has(file)) visit(file)
  return found
}
