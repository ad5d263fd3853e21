import fc from 'fast-check'
import type { z } from 'zod'

type Json = Record<string, unknown>
type Arbitrary = fc.Arbitrary<unknown>

const oneOf = (all: readonly unknown[], of: (each: never) => Arbitrary): Arbitrary =>
  fc.oneof(...all.map((each) => of(each as never)))

interface Hints {
  readonly examples?: readonly string[]
  readonly minLength?: number
}

/** Texts that a pattern fits, and the schema's own examples: of what fast-check cannot read, such as a lookahead, only those. */
const matching = (pattern: RegExp, { examples = [], minLength = 0 }: Hints = {}): Arbitrary => {
  const given = fc.constantFrom(...examples, 'x')
  try {
    const short = fc.stringMatching(pattern, { size: '-1' })
    const made = short.map((text) => (text.length < minLength ? text.padEnd(minLength, text || 'x') : text))
    return examples.length > 0 ? fc.oneof(made, given) : made
  } catch {
    return given
  }
}

const wholeBetween = (min = -(2 ** 53) + 1, max = 2 ** 53 - 1): Arbitrary =>
  fc.oneof(
    fc.constantFrom(min, max),
    fc.maxSafeInteger().map((n) => min + (Math.abs(n) % (max - min + 1))),
  )

const objectOf = (properties: [name: string, value: Arbitrary, required: boolean][]): Arbitrary =>
  fc.record(Object.fromEntries(properties.map(([name, value]) => [name, value])), {
    requiredKeys: properties.filter(([, , required]) => required).map(([name]) => name),
    noNullPrototype: true,
  })

const listOf = (of: Arbitrary, min = 0, max = min + 3): Arbitrary =>
  fc.array(of, { minLength: min, maxLength: Math.min(max, min + 3) })

/** Values that a JSON Schema means to allow; `allOf` and the like are left to luck. */
export const fromJsonSchema = (schema: Json): Arbitrary => {
  const {
    type,
    properties = {},
    required = [],
    additionalProperties: others,
  } = schema as {
    type?: string
    properties?: Record<string, Json>
    required?: string[]
    additionalProperties?: Json | boolean
  }
  if ('const' in schema) return fc.constant(schema.const)
  if (schema.enum) return fc.constantFrom(...(schema.enum as unknown[]))
  const some = (schema.anyOf ?? schema.oneOf) as Json[] | undefined
  if (some && !type) return oneOf(some, fromJsonSchema)
  if (type === 'object') {
    if (Object.keys(properties).length === 0 && typeof others === 'object')
      return fc.dictionary(
        fromJsonSchema({ type: 'string', ...(schema.propertyNames as Json) }) as fc.Arbitrary<string>,
        fromJsonSchema(others),
        { maxKeys: 3, noNullPrototype: true },
      )
    return objectOf(
      Object.entries(properties).map(([name, each]) => [name, fromJsonSchema(each), required.includes(name)]),
    )
  }
  if (type === 'array')
    return listOf(fromJsonSchema(schema.items as Json), schema.minItems as number, schema.maxItems as number)
  if (type === 'integer') return wholeBetween(schema.minimum as number, schema.maximum as number)
  if (type === 'number') return fc.double({ noNaN: true, noDefaultInfinity: true })
  if (type === 'boolean') return fc.boolean()
  if (type === 'null') return fc.constant(null)
  if (schema.format === 'uuid') return fc.uuid()
  if (schema.format === 'date-time') return aMoment
  if (schema.pattern) return matching(new RegExp(String(schema.pattern), 'u'), schema as Hints)
  if (type === 'string') return fc.string({ unit: 'grapheme', maxLength: 30 })
  return fc.jsonValue()
}

const aMoment = fc
  .date({ min: new Date(0), max: new Date('9999-01-01'), noInvalidDate: true })
  .map((at) => at.toISOString())

/** Values that a zod schema takes. */
export const fromZod = (schema: z.ZodType): Arbitrary => {
  // biome-ignore lint/suspicious/noExplicitAny: each kind of schema has a definition of its own
  const { def, bag } = (schema as any)._zod
  switch (def.type) {
    case 'object':
      return objectOf(
        Object.entries(def.shape as Record<string, z.ZodType>).map(([name, each]) => [
          ...([name, fromZod(each)] as const),
          !each.safeParse(undefined).success,
        ]),
      )
    case 'record':
      return fc.dictionary(fromZod(def.keyType) as fc.Arbitrary<string>, fromZod(def.valueType), {
        ...{ maxKeys: 3, noNullPrototype: true },
      })
    case 'array':
      return listOf(fromZod(def.element), bag.minimum, bag.maximum)
    case 'union':
      return oneOf(def.options, fromZod)
    case 'enum':
      return fc.constantFrom(...Object.values(def.entries))
    case 'literal':
      return fc.constantFrom(...def.values)
    case 'nullable':
      return fc.option(fromZod(def.innerType))
    case 'optional':
    case 'default':
      return fromZod(def.innerType)
    case 'pipe':
      return fromZod(def.in._zod.def.type === 'transform' ? def.out : def.in)
    case 'number':
      return bag.format
        ? wholeBetween(bag.minimum, bag.maximum)
        : fc.double({ noNaN: true, noDefaultInfinity: true })
    case 'boolean':
      return fc.boolean()
    case 'string':
      if (def.format === 'uuid') return fc.uuid()
      if (def.format === 'datetime') return aMoment
      return bag.patterns
        ? matching([...bag.patterns].at(-1), schema.meta() as Hints | undefined)
        : fc.string({ unit: 'grapheme', maxLength: 30 })
    default:
      return fc.jsonValue()
  }
}

/** Longer than any text may be: a schema may have forgotten to say so. */
const tooLong = 10_000

/** Lengths that a schema speaks of. */
const lengthsIn = (schema: unknown): number[] => {
  if (typeof schema !== 'object' || schema === null) return []
  const { maxLength, minLength } = schema as { maxLength?: number; minLength?: number }
  return [maxLength, minLength, ...Object.values(schema).flatMap(lengthsIn)].filter((n) => n !== undefined)
}

/** What at a border, or near a valid value, tells two judges apart. */
const odd = (schema: Json): Arbitrary => {
  const borders = [1, ...new Set(lengthsIn(schema))].flatMap((n) => [n - 1, n, n + 1])
  const lengths = [...borders.filter((n) => n >= 0), tooLong]
  return fc.oneof(
    fc.constantFrom(
      '',
      ' ',
      '   ',
      '\u200b',
      '\u3164',
      '\u00a0',
      'x\u0000',
      'a\nb',
      'a\tb',
      ' x ',
      'é',
      '🍵',
      '1',
      '0x1',
      'null',
    ),
    fc
      .constantFrom('x', '🍵', ' ', '0')
      .chain((char) => fc.constantFrom(...lengths).map((n) => char.repeat(n))),
    fc.constantFrom(0, -0, -1, 1, 1.5, 1e21, 2 ** 53, 1001, 1_000_000_001, null, true, [], {}),
    fc.string({ unit: 'binary', maxLength: 20 }).filter((text) => text.isWellFormed()),
  )
}

/** The value with one of its parts, or all of it, changed a little. */
export const mutated = (value: unknown, schema: Json): Arbitrary => {
  const here: Arbitrary[] = [odd(schema)]
  if (typeof value === 'string')
    here.push(
      fc.constantFrom(
        ` ${value}`,
        `${value}\n`,
        `${value}\u200b`,
        value.toUpperCase(),
        value.toLowerCase(),
        `${value}x`,
        value.slice(1),
      ),
    )
  if (typeof value === 'number')
    here.push(fc.constantFrom(value + 1, value - 1, value + 0.5, String(value), -value))
  const inside: Arbitrary[] = []
  if (Array.isArray(value)) {
    inside.push(...value.map((each, at) => mutated(each, schema).map((other) => value.with(at, other))))
    here.push(fc.constantFrom(...[0, 1, 20, 21, 50, 51, 100, 101].map((n) => Array(n).fill(value[0] ?? 'x'))))
  } else if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value)
    for (const [name, each] of entries) {
      inside.push(mutated(each, schema).map((other) => ({ ...value, [name]: other })))
      here.push(fc.constant(Object.fromEntries(entries.filter(([other]) => other !== name))))
    }
    here.push(odd(schema).map((other) => ({ ...value, unexpected: other })))
  }
  return inside.length > 0
    ? fc.oneof({ arbitrary: fc.oneof(...inside), weight: 4 }, fc.oneof(...here))
    : fc.oneof(...here)
}
