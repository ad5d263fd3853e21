import { z } from 'zod'

type Node = { readonly [key: string]: unknown }

/** Passwords are not shown to anybody: blanks and controls may be what somebody chose. */
const secrets = /(?:^|\/)(?:password|newPassword)$/

const never = ['X\ud83d', '\ude00', 'a\u0000b']
/** Nothing to see, and what belongs into no line and no lines. */
const notToBeShown = [
  '\u200b',
  '\u3164\u2800',
  '\u00a0\ufeff',
  'a\u0007b',
  'a\u009fb',
  'a\u2028b',
  'a\u202eb',
]

const takes = ({ pattern, format, enum: some, const: only }: Node, probe: string): boolean => {
  if (some || only !== undefined || format === 'uuid' || format === 'date-time') return false
  return typeof pattern !== 'string' || new RegExp(pattern, 'u').test(probe)
}

const isText = ({ type, pattern, format }: Node): boolean =>
  [type].flat().includes('string') || pattern !== undefined || format !== undefined

const walk = (path: string, value: unknown): string[] => {
  if (typeof value !== 'object' || value === null) return []
  const node = value as Node
  // A line that may be left empty may also be of blanks.
  const probes = secrets.test(path)
    ? never
    : takes(node, '')
      ? [...never, ...notToBeShown.slice(3)]
      : [...never, ...notToBeShown]
  const own = isText(node) && probes.some((probe) => takes(node, probe)) ? [path] : []
  const inside = Object.entries((node.properties ?? {}) as Node).map(([name, each]) => [
    `${path}/${name}`,
    each,
  ])
  const others = ['items', 'additionalProperties', 'propertyNames'].map((key) => [path, node[key]])
  const some = ['anyOf', 'oneOf', 'prefixItems'].flatMap((key) =>
    ((node[key] ?? []) as unknown[]).map((each) => [path, each]),
  )
  return [...own, ...[...inside, ...others, ...some].flatMap(([at, each]) => walk(String(at), each))]
}

/** Where a schema takes text that goes past the contracts' builders (`line.ts`): JSON Pointers into its input. */
export const looseText = (schema: z.ZodType): string[] => [
  ...new Set(walk('', z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }))),
]
