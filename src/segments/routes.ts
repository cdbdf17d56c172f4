import { readAttributeTypes } from '../attributes/store.ts'
import { violates } from '../db/violation.ts'
import { after, page } from '../http/cursor.ts'
import { notFound, Problem } from '../http/problem.ts'
import { createRouter } from '../http/route.ts'
import type { Services } from '../http/services.ts'
import { countSegment, pageOfSegment } from './ask.ts'
import { checkFilter } from './check.ts'
import { deleteSegment } from './delete.ts'
import type { Filter } from './filter.ts'
import * as op from './operations.ts'
import { missingInFilter } from './references.ts'
import { findSegment, insertSegment, listSegments, updateSegment } from './store.ts'

export function segmentRoutes({ db }: Services) {
  const router = createRouter()

  /** What the schema cannot know: the types of attributes, and which lists and campaigns there are. */
  const checkAgainstData = async (filter: Filter) => {
    const [types, missing] = await Promise.all([readAttributeTypes(db), missingInFilter(db, filter)])
    const read = checkFilter(filter, types)
    const faults = 'faults' in read ? read.faults : missing
    const errors = faults.map(({ path, detail }) => ({ field: ['filter', ...path].join('.'), detail }))
    const [first] = errors
    if (first) throw new Problem('validation_failed', `${first.field} ${first.detail}`, { errors })
  }
  const mustFind = async (id: number) => {
    const found = await findSegment(db, id)
    if (!found) throw notFound('segment', id)
    return found
  }
  const peoplePage = async (filter: Filter, cursor: string | undefined, limit: number) => {
    // A changed filter is another list: what was a cursor of it is none any more.
    const scope = { of: 'segment', filter }
    const [after_id] = after(cursor, scope, ['number']) ?? [0]
    return page(await pageOfSegment(db, filter, after_id, limit), limit, scope, ({ id }) => [id])
  }

  router.openapi(op.create, async (c) => {
    const values = c.req.valid('json')
    await checkAgainstData(values.filter)
    return c.json(await insertSegment(db, values).catch(nameTaken(values.name)), 201)
  })

  router.openapi(op.list, async (c) => {
    const filters = c.req.valid('query')
    const scope = { ...filters, of: 'segments' }
    const [after_id] = after(filters.cursor, scope, ['number']) ?? [null]
    const rows = await listSegments(db, filters.name, after_id, filters.limit)
    return c.json(
      page(rows, filters.limit, scope, ({ id }) => [id]),
      200,
    )
  })

  router.openapi(op.get, async (c) => c.json(await mustFind(c.req.valid('param').id), 200))

  router.openapi(op.update, async (c) => {
    const { id } = c.req.valid('param')
    const changes = c.req.valid('json')
    if (changes.filter) await checkAgainstData(changes.filter)
    const row = await updateSegment(db, id, changes).catch(nameTaken(changes.name))
    if (!row) throw notFound('segment', id)
    return c.json(row, 200)
  })

  router.openapi(op.remove, async (c) => {
    const { id } = c.req.valid('param')
    const outcome = await deleteSegment(db, id)
    if (outcome === 'unknown') throw notFound('segment', id)
    if (outcome === 'in_use') throw new Problem('in_use', `A campaign that is not sent yet names segment ${id}.`)
    return c.body(null, 204)
  })

  router.openapi(op.count, async (c) => {
    const { filter } = await mustFind(c.req.valid('param').id)
    return c.json(await countSegment(db, filter), 200)
  })

  router.openapi(op.people, async (c) => {
    const { limit, cursor } = c.req.valid('query')
    const { filter } = await mustFind(c.req.valid('param').id)
    return c.json(await peoplePage(filter, cursor, limit), 200)
  })

  router.openapi(op.countUnsaved, async (c) => {
    const { filter } = c.req.valid('json')
    await checkAgainstData(filter)
    return c.json(await countSegment(db, filter), 200)
  })

  router.openapi(op.preview, async (c) => {
    const { filter, limit, cursor } = c.req.valid('json')
    await checkAgainstData(filter)
    return c.json(await peoplePage(filter, cursor, limit), 200)
  })

  return router
}

const nameTaken = (name: string | undefined) => (error: unknown) => {
  if (!violates(error, 'segments_name')) throw error
  throw new Problem('name_taken', `There is another segment called ${name}.`, {
    errors: [{ field: 'name', detail: 'is in use (upper and lower case count as the same)' }],
  })
}
