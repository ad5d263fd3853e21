import type { Category } from '@caravan/contracts/catalog'

/** A category and all below it. Just the slug itself where it is not known. */
export const branch = (all: readonly Category[], slug: string): string[] => {
  const children = Map.groupBy(all, (each) => each.parent)
  const found = [slug]
  for (const each of found) found.push(...(children.get(each) ?? []).map((child) => child.slug))
  return found
}
