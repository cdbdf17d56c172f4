import { after, page } from '../http/cursor.ts'
import { invalidField, notFound, Problem } from '../http/problem.ts'
import { createRouter, operation } from '../http/route.ts'
import { pageOf } from '../http/schema.ts'
import type { Services } from '../http/services.ts'
import { mustBe } from '../subscribers/refusal.ts'
import { type DefineOutcome, defineAttribute, deleteDefinition } from './define.ts'
import { attribute, attributeParams, attributeQuery, newAttribute, undeclared } from './schema.ts'
import { listDefinitions, SAMPLE, undeclaredAttributes } from './store.ts'
import { type AttributeType, DEFINITIONS_LIMIT } from './type.ts'

const tags = ['Attributes']

const create = operation(
  { scope: 'write' },
  {
    method: 'post',
    path: '/attributes',
    tags,
    summary: 'Fix the type of an attribute',
    description:
      'From then on whatever writes a subscriber (API, import, sign-up) is held to it. Refused while subscribers hold a value of another type: the answer says how many and names a few. Writes of subscribers wait while all are looked at, about a second per million. Attributes without a type may hold anything.',
    request: { body: { required: true, content: { 'application/json': { schema: newAttribute } } } },
    responses: { 201: { description: 'Created', content: { 'application/json': { schema: attribute } } } },
  },
)

const list = operation(
  { scope: 'read' },
  {
    method: 'get',
    path: '/attributes',
    tags,
    summary: 'List the attributes that have a type',
    request: { query: attributeQuery },
    responses: { 200: { description: 'A page', content: { 'application/json': { schema: pageOf(attribute) } } } },
  },
)

const found = operation(
  { scope: 'read' },
  {
    method: 'get',
    path: '/attributes/undeclared',
    tags,
    summary: 'Attributes without a type',
    description: `What the newest ${SAMPLE.toLocaleString('en')} subscribers have, the most frequent first: for deciding which to give a type.`,
    responses: { 200: { description: 'At most 200', content: { 'application/json': { schema: undeclared } } } },
  },
)

const remove = operation(
  { scope: 'write' },
  {
    method: 'delete',
    path: '/attributes/{name}',
    tags,
    summary: 'Forget the type of an attribute',
    description: 'What subscribers hold stays as it is; from then on it may be anything.',
    request: { params: attributeParams },
    responses: { 204: { description: 'Forgotten' } },
  },
)

export function attributeRoutes({ db }: Services) {
  const router = createRouter()

  router.openapi(create, async (c) => {
    const wanted = c.req.valid('json')
    const result = await defineAttribute(db, wanted)
    if (result.outcome !== 'created') throw refusedDefinition(wanted, result)
    return c.json(result.definition, 201)
  })

  router.openapi(list, async (c) => {
    const { limit, cursor } = c.req.valid('query')
    const [after_name] = after(cursor, { of: 'attributes' }, ['string']) ?? [null]
    const rows = await listDefinitions(db, after_name, limit)
    return c.json(
      page(rows, limit, { of: 'attributes' }, ({ name }) => [name]),
      200,
    )
  })

  router.openapi(found, async (c) => c.json({ data: await undeclaredAttributes(db) }, 200))

  router.openapi(remove, async (c) => {
    const { name } = c.req.valid('param')
    if (!(await deleteDefinition(db, name))) throw notFound('attribute', name)
    return c.body(null, 204)
  })

  return router
}

function refusedDefinition(
  { name, type }: { name: string; type: AttributeType },
  result: Exclude<DefineOutcome, { outcome: 'created' }>,
): Problem {
  switch (result.outcome) {
    case 'exists':
      return new Problem('name_taken', `The attribute ${name} has a type already.`, {
        errors: [{ field: 'name', detail: 'has a type already: delete the definition to give it another' }],
      })
    case 'too_many':
      return invalidField('name', `is one too many: at most ${DEFINITIONS_LIMIT} attributes have a type`)
    case 'too_slow':
      return new Problem(
        'database_unavailable',
        'Postgres could not look at all subscribers in time. Nothing was changed: try again when less is going on.',
      )
    case 'conflict': {
      const { count, ids } = result
      const some = count > ids.length ? `${ids.length} of them` : 'namely'
      return invalidField(
        'type',
        `does not fit what ${count} ${count === 1 ? 'subscriber holds' : 'subscribers hold'} (${some}: ${ids.join(', ')}): each value ${mustBe(type)}`,
      )
    }
  }
}
