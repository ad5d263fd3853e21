import { problem } from '@caravan/contracts/common'
import { invokedPath, isTaggedWrite, type Operation } from '@caravan/contracts/operation'
import { z } from 'zod'

type Json = Record<string, unknown>

const schemaOf = (schema: z.ZodType, io: 'input' | 'output'): Json => {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  return json
}

const parametersIn = (where: 'path' | 'query', schema: z.ZodType | undefined): Json[] => {
  if (!schema) return []
  const { properties = {}, required = [] } = schemaOf(schema, 'input') as {
    properties?: Json
    required?: string[]
  }
  return Object.entries(properties).map(([name, value]) => ({
    name,
    in: where,
    required: where === 'path' || required.includes(name),
    schema: value,
  }))
}

const problemContent = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } }

const header = (name: string, required: boolean, schema: Json): Json => ({
  ...{ name, in: 'header', required, schema },
})

const bytes = { type: 'string', format: 'binary' }

const entityTags = { type: 'string', description: '`*` or entity tags (RFC 9110, 13.1)' }

/** The statuses that the kit itself may answer an operation with, besides its own. */
const failures = (op: Operation): number[] => {
  // 400 for a query that is not UTF-8, too.
  const statuses = [400, 503]
  // 403 also for whoever is banned, and where an administrator closed what was open.
  statuses.push(401, 403)
  if (op.params) statuses.push(404)
  if (op.params || op.query || op.body) statuses.push(422)
  if (op.body || op.raw) statuses.push(413, 415)
  if (op.idempotent) statuses.push(409, 422)
  if (isTaggedWrite(op)) statuses.push(412)
  statuses.push(...Object.values(op.problems ?? {}))
  return [...new Set([...statuses, 414, 429, 431])].sort()
}

/** To whom a document is: the world, or apps behind their sidecars, for whom all parameters are in the query. */
export type Asker = 'world' | 'sidecar'

const describe = (op: Operation, asker: Asker): Json => ({
  operationId: op.id,
  summary: op.summary,
  tags: [op.app],
  ...(op.problems
    ? {
        description: `Problem codes: ${Object.keys(op.problems)
          .map((code) => `\`${code}\``)
          .join(', ')}`,
      }
    : {}),
  security: op.access === 'anyone' ? [{}, { bearer: [] }] : [{ bearer: [] }],
  'x-access': op.access,
  parameters: [
    ...parametersIn(asker === 'world' ? 'path' : 'query', op.params),
    ...parametersIn('query', op.query),
    ...(op.idempotent ? [header('Idempotency-Key', true, { type: 'string', maxLength: 255 })] : []),
    ...(isTaggedWrite(op)
      ? [header('If-Match', false, entityTags), header('If-None-Match', false, entityTags)]
      : []),
  ],
  ...(op.body
    ? {
        requestBody: {
          required: true,
          content: {
            'application/json': {
              schema: schemaOf(op.body, 'input'),
              ...(op.example?.body ? { example: op.example.body } : {}),
            },
          },
        },
      }
    : {}),
  ...(op.raw
    ? {
        requestBody: {
          required: true,
          content: { [op.raw === true ? 'application/json' : op.raw]: { schema: {} } },
        },
      }
    : {}),
  responses: {
    [op.status]: {
      description: 'Done',
      ...(op.tagged && op.response ? { headers: { ETag: { schema: { type: 'string' } } } } : {}),
      ...(op.media ? { content: Object.fromEntries(op.media.map((type) => [type, { schema: bytes }])) } : {}),
      ...(op.response
        ? {
            content:
              op.file && asker === 'world'
                ? { [op.file]: { schema: { type: 'string' } } }
                : { 'application/json': { schema: schemaOf(op.response, 'output') } },
          }
        : {}),
    },
    ...Object.fromEntries(
      failures(op).map((status) => [
        status,
        // Node itself refuses headers, the path among them, that are too large, with nothing but the status.
        status === 431
          ? { description: 'Path or headers are too large' }
          : { description: 'Problem details (RFC 9457)', content: problemContent },
      ]),
    ),
  },
})

/** An OpenAPI 3.1 document of the given operations: what a service, or the gateway, really serves. */
export const openApi = (
  title: string,
  version: string,
  operations: readonly Operation[],
  asker: Asker = 'world',
): Json => {
  const paths: Record<string, Json> = {}
  for (const op of operations) {
    const path = asker === 'world' ? op.path : invokedPath(op)
    paths[path] = { ...paths[path], [op.method.toLowerCase()]: describe(op, asker) }
  }
  return {
    openapi: '3.1.0',
    info: { title, version },
    paths,
    components: {
      schemas: { Problem: schemaOf(problem, 'output') },
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
  }
}
