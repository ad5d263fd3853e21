import { z } from 'zod'

/** What the books and a webhook can hold as it came: SQLite ends a text at U+0000 and mends halves of surrogate pairs. */
export const text = (max: number) =>
  z
    .string()
    .max(max)
    .refine((value) => value.isWellFormed() && !value.includes('\0'), 'must be text')
