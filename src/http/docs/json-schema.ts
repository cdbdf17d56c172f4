// Reading a JSON schema of the OpenAPI document: its shape as rows of a table, and an example value.

/** The part of JSON Schema that zod-to-openapi emits. */
export interface JsonSchema {
  $ref?: string
  type?: string | string[]
  format?: string
  description?: string
  example?: unknown
  default?: unknown
  enum?: unknown[]
  const?: unknown
  properties?: Record<string, JsonSchema>
  required?: string[]
  additionalProperties?: boolean | JsonSchema
  items?: JsonSchema
  anyOf?: JsonSchema[]
  oneOf?: JsonSchema[]
  allOf?: JsonSchema[]
  minimum?: number
  maximum?: number
  minLength?: number
  maxLength?: number
  minItems?: number
  maxItems?: number
}

export type Schemas = Record<string, JsonSchema>

/** Follows a reference into `components/schemas`. */
export function resolve(schema: JsonSchema, schemas: Schemas): JsonSchema {
  const name = schema.$ref?.replace('#/components/schemas/', '')
  return name === undefined ? schema : (schemas[name] ?? {})
}

export interface Field {
  /** `audience.include[]` */
  path: string
  type: string
  is_required: boolean
  description: string
  limits: string
}

/** Levels of nesting shown; what is deeper appears as "object". */
const MAX_DEPTH = 4

/** Every field of a schema, depth first. */
export function fieldsOf(schema: JsonSchema, schemas: Schemas, prefix = '', depth = 0): Field[] {
  const { properties, items, required = [] } = objectIn(schema, schemas)
  if (depth >= MAX_DEPTH) return []
  if (items) return fieldsOf(items, schemas, `${prefix}[]`, depth)
  return Object.entries(properties ?? {}).flatMap(([name, property]) => {
    const field = resolve(property, schemas)
    const path = prefix ? `${prefix}.${name}` : name
    return [
      {
        path,
        type: typeOf(field, schemas),
        is_required: required.includes(name),
        description: property.description ?? field.description ?? '',
        limits: limitsOf(field),
      },
      ...fieldsOf(field, schemas, path, depth + 1),
    ]
  })
}

/** The object or array behind references and "or null". */
function objectIn(schema: JsonSchema, schemas: Schemas): JsonSchema {
  const it = resolve(schema, schemas)
  const branches = it.anyOf ?? it.oneOf ?? it.allOf
  const branch = branches?.map((each) => resolve(each, schemas)).find((each) => each.properties ?? each.items)
  return it.properties || it.items ? it : (branch ?? it)
}

/** A type in words: `string or null`, `array of integer`. */
export function typeOf(schema: JsonSchema, schemas: Schemas): string {
  const it = resolve(schema, schemas)
  if (it.enum) return it.enum.map((value) => JSON.stringify(value)).join(' | ')
  if (it.const !== undefined) return JSON.stringify(it.const)
  const branches = it.anyOf ?? it.oneOf
  if (branches) return [...new Set(branches.map((branch) => typeOf(branch, schemas)))].join(' or ')
  const types = [it.type ?? 'any'].flat()
  return types
    .map((type) => (type === 'array' && it.items ? `array of ${typeOf(it.items, schemas)}` : type))
    .join(' or ')
}

function limitsOf(schema: JsonSchema): string {
  const { minimum, maximum, minLength, maxLength, minItems, maxItems } = schema
  const parts = [
    schema.format ?? '',
    range(minimum, maximum, ''),
    range(minLength, maxLength, ' characters'),
    range(minItems, maxItems, ' entries'),
    schema.default === undefined ? '' : `default ${JSON.stringify(schema.default)}`,
  ]
  return parts.filter(Boolean).join(', ')
}

function range(least: number | undefined, most: number | undefined, unit: string): string {
  if (least !== undefined && most !== undefined) return `${least} to ${most}${unit}`
  if (least !== undefined) return `at least ${least}${unit}`
  return most === undefined ? '' : `at most ${most}${unit}`
}

/** A value that fits the schema, of the schema's own examples where it has them. */
export function exampleOf(schema: JsonSchema, schemas: Schemas, depth = 0): unknown {
  const it = resolve(schema, schemas)
  if (it.example !== undefined) return it.example
  if (it.default !== undefined) return it.default
  if (it.const !== undefined) return it.const
  if (it.enum) return it.enum[0]
  const [branch] = it.anyOf ?? it.oneOf ?? it.allOf ?? []
  if (branch) return exampleOf(branch, schemas, depth)
  switch ([it.type].flat()[0]) {
    case 'object':
      if (depth > MAX_DEPTH) return {}
      return Object.fromEntries(
        Object.entries(it.properties ?? {}).map(([name, property]) => [name, exampleOf(property, schemas, depth + 1)]),
      )
    case 'array':
      return it.items ? [exampleOf(it.items, schemas, depth + 1)] : []
    case 'integer':
    case 'number':
      return it.minimum ?? 1
    case 'boolean':
      return true
    default:
      return (
        { email: 'name@example.com', 'date-time': '2026-01-31T09:00:00Z', uri: 'https://example.com' }[
          it.format ?? ''
        ] ?? 'text'
      )
  }
}
