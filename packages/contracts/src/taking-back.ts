import { z } from 'zod'

interface Compared {
  readonly members: z.ZodType<Readonly<Record<string, unknown>>>
  /** Those that a parameter of the path repeats, with its name. */
  readonly named: Readonly<Record<string, string>>
}
const compared = new WeakMap<z.ZodType, Compared>()

/** The members of a replacement that are compared with what is kept; undefined for the schema of any other body. */
export const comparedMembers = (body: z.ZodType): Compared | undefined => compared.get(body)

interface Owned<A extends z.ZodRawShape> {
  /** The member that a parameter of the path repeats: of what is not there yet it is all that is known. */
  readonly named?: { readonly [M in keyof A]?: string }
  /** What each write moves on. */
  readonly moved?: readonly (keyof A & string)[]
}

const kept = 'As it is kept, or left out; anything else is refused'
const moving = 'Of any age, or left out: it has no effect'

/**
 * The body of a replacement: its content and, so that what was read can be sent back as it is, the members that only the owner
 * writes. One of these that is there is as it is kept, or the request is 422: who changes it means something that is not going to
 * happen. What each write moves on (`moved`) is not compared: who writes twice may send it as it was before the first, and whether
 * somebody else wrote meanwhile is what `If-Match` asks.
 */
export const takingBack = <C extends z.ZodRawShape, A extends z.ZodRawShape>(
  content: z.ZodObject<C, z.core.$strict>,
  { shape }: z.ZodObject<A>,
  { named = {}, moved = [] }: Owned<A> = {},
) => {
  const owned = Object.entries(shape as z.ZodRawShape).filter(([name]) => !(name in content.shape))
  const isMoved = (name: string) => moved.includes(name)
  const optional = Object.fromEntries(
    owned.map(([name, member]) => [
      name,
      z.optional(member).meta({ readOnly: true, description: isMoved(name) ? moving : kept }),
    ]),
  )
  // What the content's JSON Schema says beyond its members is lost by `extend`.
  const whole = content.extend(optional).meta({ ...content.meta() })
  const body = whole.transform((given): z.output<z.ZodObject<C>> => {
    const known = Object.entries(given).filter(([name]) => name in content.shape)
    return Object.fromEntries(known) as z.output<z.ZodObject<C>>
  })
  const members = z.object(Object.fromEntries(Object.entries(optional).filter(([name]) => !isMoved(name))))
  compared.set(body, { members, named: named as Readonly<Record<string, string>> })
  return body
}
