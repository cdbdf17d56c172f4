import { violates } from '../db/violation.ts'
import { after, badCursor, cursorAt, page } from '../http/cursor.ts'
import { notFound } from '../http/problem.ts'
import { createRouter, operation } from '../http/route.ts'
import { idParams, pageOf } from '../http/schema.ts'
import type { Services } from '../http/services.ts'
import { upsertInBulk } from './bulk.ts'
import { deleteSubscriber } from './delete.ts'
import { refusedCall } from './refusal.ts'
import type { SubscriberRow } from './row.ts'
import {
  bulkUpsert,
  newSubscriber,
  resubscription,
  rowAnswers,
  subscriber,
  subscriberChange,
  subscriberQuery,
  subscriberWithLists,
  writtenSubscriber,
} from './schema.ts'
import { searchSubscribers } from './search.ts'
import { findSubscriber, listSubscribers } from './store.ts'
import { writeSubscribers } from './write.ts'

/** Bytes of a bulk call: a thousand rows of ordinary length, several times over. */
const BULK_BODY_LIMIT = 4_000_000

const tags = ['Subscribers']
const written = { content: { 'application/json': { schema: writtenSubscriber } } }

const create = operation(
  { scope: 'write' },
  {
    method: 'post',
    path: '/subscribers',
    tags,
    summary: 'Create a subscriber',
    description:
      'A known address is refused (409). An address that was deleted before needs `resubscribe` with consent.',
    request: { body: { required: true, content: { 'application/json': { schema: newSubscriber } } } },
    responses: { 201: { description: 'Created', ...written } },
  },
)

const upsert = operation(
  { scope: 'write', body_limit: BULK_BODY_LIMIT },
  {
    method: 'post',
    path: '/subscribers/bulk',
    tags,
    summary: 'Create or change up to 1,000 subscribers',
    description:
      'Found by address, without regard to case. One answer per row, in order; a refused row does not hold up the others. Absent fields stay, null empties, attributes are merged. A status only gets worse: whoever opted out, bounced or complained stays so (`kept`), unless the row carries `resubscribe`. Rows that name the same address take effect one after the other. At most 4 MB.',
    request: { body: { required: true, content: { 'application/json': { schema: bulkUpsert } } } },
    responses: { 200: { description: 'One answer per row', content: { 'application/json': { schema: rowAnswers } } } },
  },
)

const list = operation(
  { scope: 'read' },
  {
    method: 'get',
    path: '/subscribers',
    tags,
    summary: 'List subscribers',
    request: { query: subscriberQuery },
    responses: { 200: { description: 'A page', content: { 'application/json': { schema: pageOf(subscriber) } } } },
  },
)

const get = operation(
  { scope: 'read' },
  {
    method: 'get',
    path: '/subscribers/{id}',
    tags,
    summary: 'Get a subscriber with their lists',
    request: { params: idParams },
    responses: {
      200: { description: 'The subscriber', content: { 'application/json': { schema: subscriberWithLists } } },
    },
  },
)

const update = operation(
  { scope: 'write' },
  {
    method: 'patch',
    path: '/subscribers/{id}',
    tags,
    summary: 'Change a subscriber',
    description:
      'A status only gets worse here; see `resubscribe`. When the address changes of someone who opted out anywhere, the old address is suppressed.',
    request: {
      params: idParams,
      body: { required: true, content: { 'application/json': { schema: subscriberChange } } },
    },
    responses: { 200: { description: 'Changed', ...written } },
  },
)

const resubscribe = operation(
  { scope: 'write' },
  {
    method: 'post',
    path: '/subscribers/{id}/resubscribe',
    tags,
    summary: 'Make someone active again who agreed anew',
    description:
      'The only way back after an opt-out, bounce or complaint. The consent must be newer than that and is recorded. Lists the person left are rejoined only where `list_ids` names them.',
    request: {
      params: idParams,
      body: { required: true, content: { 'application/json': { schema: resubscription } } },
    },
    responses: { 200: { description: 'Active again', ...written } },
  },
)

const remove = operation(
  { scope: 'write' },
  {
    method: 'delete',
    path: '/subscribers/{id}',
    tags,
    summary: 'Delete a subscriber',
    description:
      'Memberships and consents go too. A keyed hash of the address stays, so that importing an old file does not bring the person back; the sums of sent campaigns stay as they are.',
    request: { params: idParams },
    responses: { 204: { description: 'Deleted' } },
  },
)

export function subscriberRoutes({ db, hash_key }: Services) {
  const router = createRouter()

  const write = async (mode: 'create' | 'update', row: SubscriberRow) => {
    const [answer] = await writeSubscribers(db, hash_key, mode, [row]).catch((error: unknown) => {
      throw violates(error, 'subscribers_email') ? refusedCall('exists') : error
    })
    if (row.id !== undefined && answer?.refusal === 'unknown_subscriber') throw notFound('subscriber', row.id)
    if (answer?.refusal) throw refusedCall(answer.refusal, answer.attribute)
    const found = answer?.id && (await findSubscriber(db, answer.id))
    if (!answer || !found) throw notFound('subscriber', row.id ?? 'like this any more')
    return { ...found, kept: answer.kept, kept_lists: answer.kept_lists }
  }

  router.openapi(create, async (c) => c.json(await write('create', c.req.valid('json')), 201))

  router.openapi(upsert, async (c) => {
    const { subscribers, policy } = c.req.valid('json')
    return c.json({ data: await upsertInBulk(db, hash_key, subscribers, policy) }, 200)
  })

  router.openapi(list, async (c) => {
    const filters = { ...c.req.valid('query'), of: 'subscribers' }
    if (filters.search !== undefined || filters.tag !== undefined) {
      const { rows, next } = await searchSubscribers(db, filters, pageStart(filters), filters.limit)
      const keys = next && (next.created_key === null ? [next.id] : [next.created_key, next.id])
      return c.json({ data: rows, next_cursor: keys && cursorAt(filters, keys) }, 200)
    }
    const rows = await listSubscribers(db, filters, pageStart(filters), filters.limit)
    const found = page(rows, filters.limit, filters, (row) =>
      filters.created_after === undefined ? [row.id] : [row.created_key, row.id],
    )
    return c.json({ ...found, data: found.data.map(({ created_key, ...row }) => row) }, 200)
  })

  router.openapi(get, async (c) => {
    const { id } = c.req.valid('param')
    const row = await findSubscriber(db, id)
    if (!row) throw notFound('subscriber', id)
    return c.json(row, 200)
  })

  router.openapi(update, async (c) => {
    const { id } = c.req.valid('param')
    return c.json(await write('update', { ...c.req.valid('json'), id }), 200)
  })

  router.openapi(resubscribe, async (c) => {
    const { id } = c.req.valid('param')
    return c.json(await write('update', { ...c.req.valid('json'), id, resubscribe: true }), 200)
  })

  router.openapi(remove, async (c) => {
    const { id } = c.req.valid('param')
    if (!(await deleteSubscriber(db, hash_key, id))) throw notFound('subscriber', id)
    return c.body(null, 204)
  })

  return router
}

function pageStart(filters: { of: string; cursor?: string | undefined; created_after?: string | undefined }) {
  if (filters.created_after === undefined) {
    const start = after(filters.cursor, filters, ['number'])
    return start && { id: start[0], created_key: null }
  }
  const start = after(filters.cursor, filters, ['string', 'number'])
  if (!start) return null
  const [created_key, id] = start
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/.test(created_key) || Number.isNaN(Date.parse(created_key))) {
    throw badCursor()
  }
  return { created_key, id }
}
