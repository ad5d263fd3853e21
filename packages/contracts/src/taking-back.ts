import { z } from 'zod'

/**
 * The body of a replacement: its content and, so that what was read can be sent back as it is, the members that only the owner
 * writes. They are checked as they are read, and have no effect.
 */
export const takingBack = <C extends z.ZodRawShape>(
  content: z.ZodObject<C, z.core.$strict>,
  { shape }: z.ZodObject,
) => {
  const owned = Object.entries(shape).filter(([name]) => !(name in content.shape))
  const optional = Object.fromEntries(
    owned.map(([name, member]) => [name, z.optional(member).meta({ readOnly: true })]),
  )
  // What the content's JSON Schema says beyond its members is lost by `extend`.
  const whole = content.extend(optional).meta({ ...content.meta() })
  return whole.transform((body): z.output<z.ZodObject<C>> => {
    const known = Object.entries(body).filter(([name]) => name in content.shape)
    return Object.fromEntries(known) as z.output<z.ZodObject<C>>
  })
}
