import { expect, test } from 'vitest'
import { exampleOf, fieldsOf, type Schemas, typeOf } from '../../../src/http/docs/json-schema.ts'

const schemas: Schemas = {
  Row: {
    type: 'object',
    properties: { email: { type: 'string', format: 'email' }, tags: { type: 'array', items: { type: 'string' } } },
    required: ['email'],
  },
  Body: {
    type: 'object',
    properties: {
      rows: { type: 'array', items: { $ref: '#/components/schemas/Row' }, maxItems: 1000 },
      status: { type: 'string', enum: ['active', 'bounced'], default: 'active' },
      sample: {
        anyOf: [
          { type: 'object', properties: { percent: { type: 'number', minimum: 1, maximum: 99 } } },
          { type: 'null' },
        ],
      },
    },
    required: ['rows'],
  },
  Tree: { type: 'object', properties: { children: { type: 'array', items: { $ref: '#/components/schemas/Tree' } } } },
}
const body = { $ref: '#/components/schemas/Body' }

test('a schema is laid out field by field, through references, arrays and "or null"', () => {
  expect(
    fieldsOf(body, schemas).map(({ path, type, is_required, limits }) => [path, type, is_required, limits]),
  ).toEqual([
    ['rows', 'array of object', true, 'at most 1000 entries'],
    ['rows[].email', 'string', true, 'email'],
    ['rows[].tags', 'array of string', false, ''],
    ['status', '"active" | "bounced"', false, 'default "active"'],
    ['sample', 'object or null', false, ''],
    ['sample.percent', 'number', false, '1 to 99'],
  ])
})

test('an example fits the schema', () => {
  expect(exampleOf(body, schemas)).toEqual({
    rows: [{ email: 'name@example.com', tags: ['text'] }],
    status: 'active',
    sample: { percent: 1 },
  })
})

test('a schema that holds itself ends', () => {
  const tree = { $ref: '#/components/schemas/Tree' }
  expect(fieldsOf(tree, schemas).length).toBeLessThan(10)
  expect(JSON.stringify(exampleOf(tree, schemas)).length).toBeLessThan(500)
  expect(typeOf({ type: ['string', 'null'] }, schemas)).toBe('string or null')
})
