import { comparedMembers } from '@caravan/contracts/taking-back'
import type { z } from 'zod'
import { canonicalJson } from './canonical-json.ts'
import { AppError } from './errors.ts'

/** Throws 422 with a pointer to each member that is not as it is kept; where nothing is kept, as the path says. */
export type Comparison = (kept: unknown) => void

/** The members of a body that the owner alone writes, to be compared with what is there: none, unless its schema is `takingBack`. */
export const readCompared = (
  schema: z.ZodType | undefined,
  body: unknown,
  params: Readonly<Record<string, string>>,
  code: string,
): Comparison => {
  const compared = schema && comparedMembers(schema)
  if (!compared) return () => {}
  const given = Object.entries(compared.members.parse(body))
  const inPath = Object.fromEntries(
    Object.entries(compared.named).map(([member, parameter]) => [member, params[parameter]]),
  )
  return (kept) => {
    const known = (kept ?? inPath) as Readonly<Record<string, unknown>>
    const errors = given.flatMap(([member, value]) =>
      (kept === undefined && !(member in inPath)) || canonicalJson(value) === canonicalJson(known[member])
        ? []
        : [{ pointer: `/${member}`, detail: 'not as it is kept, and not to be changed' }],
    )
    if (errors.length > 0)
      throw new AppError('invalid', code, 'Some members are the owner’s to write', { errors })
  }
}
