import type { Category } from '@caravan/contracts/catalog'
import { type Database, transaction } from '@caravan/service-kit/database'
import { AppError } from '@caravan/service-kit/errors'
import { branch } from './category.ts'

type Row = Omit<Category, 'name'> & { name: string }

const present = (row: Row): Category => ({ ...row, name: JSON.parse(row.name) })

export const createCategoryStore = (db: Database) => {
  const all = async (): Promise<Category[]> => {
    const rows: Row[] = await db('categories').select('slug', 'parent', 'name').orderBy('slug')
    return rows.map(present)
  }

  /** Throws 409 when the parent does not exist, or is the category itself or below it. */
  const put = (category: Category): Promise<Category> =>
    transaction(db, async (tx) => {
      // All rows are locked: two moves at once could close a circle that neither of them sees.
      const rows: Row[] = await tx('categories').select('slug', 'parent', 'name').orderBy('slug').forUpdate()
      const { slug, parent, name } = category
      if (parent !== null) {
        if (branch(rows.map(present), slug).includes(parent))
          throw new AppError('conflict', 'catalog/category-circle', 'A category cannot be below itself')
        if (!rows.some((row) => row.slug === parent))
          throw new AppError('conflict', 'catalog/unknown-category', 'The parent does not exist')
      }
      await tx('categories')
        .insert({ slug, parent, name: JSON.stringify(name) })
        .onConflict('slug')
        .merge()
      return category
    })

  return { all, put }
}

export type CategoryStore = ReturnType<typeof createCategoryStore>
