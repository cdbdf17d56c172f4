import * as z from 'zod'
import { after, page } from '../http/cursor.ts'
import { invalidField, notFound, Problem } from '../http/problem.ts'
import { createRouter, operation } from '../http/route.ts'
import { idParams, pageOf, pageQuery } from '../http/schema.ts'
import type { Services } from '../http/services.ts'
import { newApiKey } from './key.ts'
import { apiKey, createdKey, newKey } from './schema.ts'
import { insertFirstKey, insertKey, listKeys, revokeKey } from './store.ts'

const tags = ['API keys']

const create = operation(
  { scope: 'admin', idempotency: 'refused' },
  {
    method: 'post',
    path: '/api-keys',
    tags,
    summary: 'Create an API key',
    description:
      'The answer is the only time the key itself is shown. The first key is made with `Authorization: Bearer <BOOTSTRAP_SECRET>`, which works as long as there is no admin key.',
    request: { body: { required: true, content: { 'application/json': { schema: newKey } } } },
    responses: { 201: { description: 'Created', content: { 'application/json': { schema: createdKey } } } },
  },
)

const list = operation(
  { scope: 'admin' },
  {
    method: 'get',
    path: '/api-keys',
    tags,
    summary: 'List API keys',
    request: { query: z.strictObject(pageQuery) },
    responses: { 200: { description: 'A page', content: { 'application/json': { schema: pageOf(apiKey) } } } },
  },
)

const revoke = operation(
  { scope: 'admin' },
  {
    method: 'delete',
    path: '/api-keys/{id}',
    tags,
    summary: 'Revoke an API key',
    description: 'Other parts of the network may accept the key for up to ten seconds more.',
    request: { params: idParams },
    responses: { 204: { description: 'Revoked' } },
  },
)

export function apiKeyRoutes({ db }: Services) {
  const router = createRouter()

  router.openapi(create, async (c) => {
    const { name, scopes } = c.req.valid('json')
    const { key, prefix, hash } = await newApiKey(crypto.getRandomValues(new Uint8Array(32)))
    const row = { name, prefix, hash, scopes: [...new Set(scopes)] }
    if (c.var.caller.api_key_id !== null) return c.json({ ...(await insertKey(db, row)), key }, 201)

    if (!scopes.includes('admin')) throw invalidField('scopes', 'must include admin: this is the first key')
    const first = await insertFirstKey(db, row)
    if (!first) throw new Problem('bootstrap_closed', 'There is an admin key. Use it to make further keys.')
    return c.json({ ...first, key }, 201)
  })

  router.openapi(list, async (c) => {
    const { limit, cursor } = c.req.valid('query')
    const [before_id] = after(cursor, { of: 'api_keys' }, ['number']) ?? [null]
    const rows = await listKeys(db, before_id, limit)
    return c.json(
      page(rows, limit, { of: 'api_keys' }, ({ id }) => [id]),
      200,
    )
  })

  router.openapi(revoke, async (c) => {
    const { id } = c.req.valid('param')
    const outcome = await revokeKey(db, id)
    c.var.known_keys.forget(id)
    if (outcome === 'unknown') throw notFound('API key', id)
    if (outcome === 'last_admin') {
      throw new Problem('last_admin_key', 'Make another admin key first: without one nobody could manage keys.')
    }
    return c.body(null, 204)
  })

  return router
}
