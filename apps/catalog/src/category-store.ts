import type { Category } from '@caravan/contracts/catalog'
import { type Database, orReplace, transaction } from '@caravan/service-kit/database'
import { AppError } from '@caravan/service-kit/errors'
import type { Precondition } from '@caravan/service-kit/precondition'
import { branch } from './category.ts'

type Row = Omit<Category, 'name'> & { name: string }

const present = (row: Row): Category => ({ ...row, name: JSON.parse(row.name) })

export const createCategoryStore = (db: Database) => {
  const all = async (): Promise<Category[]> => {
    const rows: Row[] = await db('categories').select('slug', 'parent', 'name').orderBy('slug')
    return rows.map(present)
  }

  /** Throws 404. */
  const get = async (slug: string): Promise<Category> => {
    const row: Row | undefined = await db('categories').where({ slug }).first('slug', 'parent', 'name')
    if (!row) throw new AppError('not-found', 'catalog/category-not-found', 'No such category')
    return present(row)
  }

  const write = (category: Category, precondition: Precondition): Promise<Category> =>
    transaction(db, async (tx) => {
      // All rows are locked: two moves at once could close a circle that neither of them sees.
      const rows: Row[] = await tx('categories').select('slug', 'parent', 'name').orderBy('slug').forUpdate()
      const { slug, parent, name } = category
      const known = rows.find((row) => row.slug === slug)
      precondition(known && present(known))
      if (parent !== null) {
        if (branch(rows.map(present), slug).includes(parent))
          throw new AppError('conflict', 'catalog/category-circle', 'A category cannot be below itself')
        if (!rows.some((row) => row.slug === parent))
          throw new AppError('conflict', 'catalog/unknown-category', 'The parent does not exist')
      }
      const columns = { parent, name: JSON.stringify(name) }
      if (known) await tx('categories').where({ slug }).update(columns)
      else await tx('categories').insert({ slug, ...columns })
      return category
    })

  /** Throws 409 when the parent does not exist, or is the category itself or below it; 412. */
  const put = (category: Category, precondition: Precondition): Promise<Category> =>
    orReplace(() => write(category, precondition))

  return { all, get, put }
}

export type CategoryStore = ReturnType<typeof createCategoryStore>
