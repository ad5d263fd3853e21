import { z } from 'zod'

type Node = { readonly [key: string]: unknown }

/** What a field is called that holds an address. */
const named =
  /(?:^|[^a-z])(?:url|uri|urls|uris|href|link|links|webhook|webhooks|callback|callbacks|endpoint|origin|host|site|website|homepage)$/

const words = (name: string): string => name.replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2').toLowerCase()

const children = (node: Node): [string, unknown][] => [
  ...Object.entries((node.properties ?? {}) as Node),
  ...['items', 'additionalProperties', 'not', 'propertyNames'].map((key): [string, unknown] => [
    '',
    node[key],
  ]),
  ...['anyOf', 'allOf', 'oneOf', 'prefixItems'].flatMap((key) =>
    ((node[key] ?? []) as unknown[]).map((each): [string, unknown] => ['', each]),
  ),
  ...Object.values((node.$defs ?? {}) as Node).map((each): [string, unknown] => ['', each]),
]

const walk = (name: string, path: string, value: unknown): string[] => {
  if (typeof value !== 'object' || value === null) return []
  const node = value as Node
  const text = node.type === undefined || [node.type].flat().includes('string')
  const holdsUrl =
    ['uri', 'url', 'iri', 'uri-reference'].includes(String(node.format)) || named.test(words(name))
  const own =
    text && holdsUrl && node.format !== 'public-url' && children(node).every(([, child]) => !child)
      ? [path]
      : []
  return [
    ...own,
    ...children(node).flatMap(([key, child]) => walk(key || name, key ? `${path}/${key}` : path, child)),
  ]
}

/** Where a schema takes an address, by its format or its name, that is not a `publicUrl`: JSON Pointers into its input. */
export const loose = (schema: z.ZodType): string[] =>
  walk('', '', z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }))
