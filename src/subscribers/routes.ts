import { violates } from '../db/violation.ts'
import { after, badCursor, cursorAt, page } from '../http/cursor.ts'
import { notFound } from '../http/problem.ts'
import { createRouter } from '../http/route.ts'
import type { Services } from '../http/services.ts'
import { indexedAnswer, upsertInBulk } from './bulk.ts'
import { deleteSubscriber } from './delete.ts'
import { subscriberHistory } from './history.ts'
import * as op from './operations.ts'
import { refusedCall } from './refusal.ts'
import type { SubscriberRow } from './row.ts'
import { searchSubscribers } from './search.ts'
import { findSubscriber, listSubscribers } from './store.ts'
import { writeSubscribers } from './write.ts'

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

  router.openapi(op.create, async (c) => c.json(await write('create', c.req.valid('json')), 201))

  router.openapi(op.upsert, async (c) => {
    const { subscribers, policy } = c.req.valid('json')
    return c.json({ data: await upsertInBulk(db, hash_key, subscribers, policy) }, 200)
  })

  router.openapi(op.list, async (c) => {
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

  router.openapi(op.get, async (c) => {
    const { id } = c.req.valid('param')
    const row = await findSubscriber(db, id)
    if (!row) throw notFound('subscriber', id)
    return c.json(row, 200)
  })

  router.openapi(op.update, async (c) => {
    const { id } = c.req.valid('param')
    return c.json(await write('update', { ...c.req.valid('json'), id }), 200)
  })

  router.openapi(op.resubscribe, async (c) => {
    const { id } = c.req.valid('param')
    return c.json(await write('update', { ...c.req.valid('json'), id, resubscribe: true }), 200)
  })

  router.openapi(op.tag, async (c) => {
    const { subscriber_ids, ...change } = c.req.valid('json')
    const rows = subscriber_ids.map((id) => ({ id, ...change }))
    const answers = await writeSubscribers(db, hash_key, 'update', rows)
    // Nobody asked for another status.
    return c.json({ data: answers.map((answer, index) => indexedAnswer(index, { ...answer, kept: null })) }, 200)
  })

  router.openapi(op.history, async (c) => {
    const { id } = c.req.valid('param')
    const { cursor, limit } = c.req.valid('query')
    const filters = { of: 'history', id }
    const start = after(cursor, filters, ['string', 'string'])
    if (start) mustBeMoment(start[0])
    const entries = await subscriberHistory(db, id, start && { at: start[0], key: start[1] }, limit)
    if (!entries) throw notFound('subscriber', id)
    const found = page(entries, limit, filters, ({ place }) => [place.at, place.key])
    return c.json({ ...found, data: found.data.map(({ place, ...entry }) => entry) }, 200)
  })

  router.openapi(op.remove, async (c) => {
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
  mustBeMoment(created_key)
  return { created_key, id }
}

/** A cursor's moment, as `toTheMicrosecond` writes them. */
function mustBeMoment(text: string): void {
  const is_shaped = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/.test(text) && !Number.isNaN(Date.parse(text))
  // A day that no month has is moved into the next.
  if (!is_shaped || !new Date(text).toISOString().startsWith(text.slice(0, 19))) throw badCursor()
}
