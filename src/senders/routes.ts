import * as z from 'zod'
import { violates } from '../db/violation.ts'
import { after, page } from '../http/cursor.ts'
import { notFound, Problem } from '../http/problem.ts'
import { createRouter, operation } from '../http/route.ts'
import { idParams, pageOf, pageQuery } from '../http/schema.ts'
import type { Services } from '../http/services.ts'
import { checkAccount } from './account.ts'
import { newSender, sender, senderChange } from './schema.ts'
import { deleteSender, findSender, insertSender, listSenders, updateSender } from './store.ts'

const tags = ['Senders']
const one = { content: { 'application/json': { schema: sender } } }

const create = operation(
  { scope: 'write' },
  {
    method: 'post',
    path: '/senders',
    tags,
    summary: 'Create a sender',
    request: { body: { required: true, content: { 'application/json': { schema: newSender } } } },
    responses: { 201: { description: 'Created', ...one } },
  },
)

const list = operation(
  { scope: 'read' },
  {
    method: 'get',
    path: '/senders',
    tags,
    summary: 'List senders',
    request: { query: z.strictObject(pageQuery) },
    responses: { 200: { description: 'A page', content: { 'application/json': { schema: pageOf(sender) } } } },
  },
)

const get = operation(
  { scope: 'read' },
  {
    method: 'get',
    path: '/senders/{id}',
    tags,
    summary: 'Get a sender',
    request: { params: idParams },
    responses: { 200: { description: 'The sender', ...one } },
  },
)

const update = operation(
  { scope: 'write' },
  {
    method: 'patch',
    path: '/senders/{id}',
    tags,
    summary: 'Change a sender',
    description: 'Campaigns that have started keep what they were started with.',
    request: { params: idParams, body: { required: true, content: { 'application/json': { schema: senderChange } } } },
    responses: { 200: { description: 'Changed', ...one } },
  },
)

const remove = operation(
  { scope: 'write' },
  {
    method: 'delete',
    path: '/senders/{id}',
    tags,
    summary: 'Delete a sender',
    description: 'Refused while a campaign, sent or not, names it, or a mailing list, or the settings.',
    request: { params: idParams },
    responses: { 204: { description: 'Deleted' } },
  },
)

export function senderRoutes({ db, sender: sending }: Services) {
  const router = createRouter()

  router.openapi(create, async (c) => {
    const values = c.req.valid('json')
    await checkAccount(sending, values, 'account')
    return c.json(await insertSender(db, values).catch(nameTaken(values.name)), 201)
  })

  router.openapi(list, async (c) => {
    const { limit, cursor } = c.req.valid('query')
    const [after_id] = after(cursor, { of: 'senders' }, ['number']) ?? [null]
    const rows = await listSenders(db, after_id, limit)
    return c.json(
      page(rows, limit, { of: 'senders' }, ({ id }) => [id]),
      200,
    )
  })

  router.openapi(get, async (c) => {
    const { id } = c.req.valid('param')
    const row = await findSender(db, id)
    if (!row) throw notFound('sender', id)
    return c.json(row, 200)
  })

  router.openapi(update, async (c) => {
    const { id } = c.req.valid('param')
    const changes = c.req.valid('json')
    if (changes.account !== undefined || changes.from_email !== undefined) {
      const before = await findSender(db, id)
      if (!before) throw notFound('sender', id)
      const { account = before.account, from_email = before.from_email } = changes
      await checkAccount(sending, { account, from_email }, changes.account === undefined ? 'from_email' : 'account')
    }
    const row = await updateSender(db, id, changes).catch(nameTaken(changes.name))
    if (!row) throw notFound('sender', id)
    return c.json(row, 200)
  })

  router.openapi(remove, async (c) => {
    const { id } = c.req.valid('param')
    const outcome = await deleteSender(db, id)
    if (outcome === 'unknown') throw notFound('sender', id)
    if (outcome === 'in_use')
      throw new Problem('in_use', `A campaign, a mailing list or the settings name sender ${id}.`)
    return c.body(null, 204)
  })

  return router
}

const nameTaken = (name: string | undefined) => (error: unknown) => {
  if (!violates(error, 'senders_name')) throw error
  throw new Problem('name_taken', `There is another sender called ${name}.`, {
    errors: [{ field: 'name', detail: 'is in use (upper and lower case count as the same)' }],
  })
}
