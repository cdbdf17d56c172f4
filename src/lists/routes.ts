import { violates } from '../db/violation.ts'
import { after, page } from '../http/cursor.ts'
import { invalidField, notFound, Problem } from '../http/problem.ts'
import { createRouter, operation } from '../http/route.ts'
import { idParams, pageOf } from '../http/schema.ts'
import type { Services } from '../http/services.ts'
import { indexedAnswer } from '../subscribers/bulk.ts'
import { refusedCall } from '../subscribers/refusal.ts'
import { rowAnswers } from '../subscribers/schema.ts'
import { writeSubscribers } from '../subscribers/write.ts'
import { deleteList } from './delete.ts'
import { leaveList } from './leave.ts'
import { findMember, listMembers } from './members.ts'
import {
  countedList,
  listChange,
  listQuery,
  mailingList,
  member,
  memberConsent,
  memberIds,
  memberParams,
  memberQuery,
  newList,
  writtenMember,
} from './schema.ts'
import { mustStand } from './standing.ts'
import {
  findCountedList,
  findStanding,
  insertList,
  type ListChange,
  listExists,
  listLists,
  SENDER_KEY,
  updateList,
} from './store.ts'

const tags = ['Mailing lists']
const one = { content: { 'application/json': { schema: mailingList } } }

const create = operation(
  { scope: 'write' },
  {
    method: 'post',
    path: '/lists',
    tags,
    summary: 'Create a mailing list',
    request: { body: { required: true, content: { 'application/json': { schema: newList } } } },
    responses: { 201: { description: 'Created', ...one } },
  },
)

const list = operation(
  { scope: 'read' },
  {
    method: 'get',
    path: '/lists',
    tags,
    summary: 'List mailing lists',
    request: { query: listQuery },
    responses: { 200: { description: 'A page', content: { 'application/json': { schema: pageOf(mailingList) } } } },
  },
)

const get = operation(
  { scope: 'read' },
  {
    method: 'get',
    path: '/lists/{id}',
    tags,
    summary: 'Get a mailing list and the number of its members',
    request: { params: idParams },
    responses: { 200: { description: 'The list', content: { 'application/json': { schema: countedList } } } },
  },
)

const update = operation(
  { scope: 'write' },
  {
    method: 'patch',
    path: '/lists/{id}',
    tags,
    summary: 'Change a mailing list',
    request: { params: idParams, body: { required: true, content: { 'application/json': { schema: listChange } } } },
    responses: { 200: { description: 'Changed', ...one } },
  },
)

const remove = operation(
  { scope: 'write' },
  {
    method: 'delete',
    path: '/lists/{id}',
    tags,
    summary: 'Delete a mailing list',
    description:
      'Its members stay subscribers. What they said about this list goes with it, opt-outs included. Refused while a scheduled, sending or paused campaign, or a segment, names it.',
    request: { params: idParams },
    responses: { 204: { description: 'Deleted' } },
  },
)

const members = operation(
  { scope: 'read' },
  {
    method: 'get',
    path: '/lists/{id}/subscribers',
    tags,
    summary: 'List the members of a mailing list',
    request: { params: idParams, query: memberQuery },
    responses: { 200: { description: 'A page', content: { 'application/json': { schema: pageOf(member) } } } },
  },
)

const addMany = operation(
  { scope: 'write' },
  {
    method: 'post',
    path: '/lists/{id}/subscribers',
    tags,
    summary: 'Subscribe up to 1,000 subscribers to a mailing list',
    description: 'One answer per id, in order. Whoever left the list stays off (`kept_lists`), unless `resubscribe`.',
    request: { params: idParams, body: { required: true, content: { 'application/json': { schema: memberIds } } } },
    responses: { 200: { description: 'One answer per id', content: { 'application/json': { schema: rowAnswers } } } },
  },
)

const add = operation(
  { scope: 'write' },
  {
    method: 'put',
    path: '/lists/{id}/subscribers/{subscriber_id}',
    tags,
    summary: 'Subscribe someone to a mailing list',
    description: 'Whoever left the list stays off (`kept_lists`), unless `resubscribe` comes with newer consent.',
    request: {
      params: memberParams,
      body: { required: true, content: { 'application/json': { schema: memberConsent } } },
    },
    responses: {
      200: { description: 'Their standing on the list', content: { 'application/json': { schema: writtenMember } } },
    },
  },
)

const leave = operation(
  { scope: 'write' },
  {
    method: 'delete',
    path: '/lists/{id}/subscribers/{subscriber_id}',
    tags,
    summary: 'Unsubscribe someone from a mailing list',
    description: 'The membership stays, as unsubscribed, so that no import undoes it.',
    request: { params: memberParams },
    responses: { 204: { description: 'Unsubscribed' } },
  },
)

export function listRoutes({ db, hash_key }: Services) {
  const router = createRouter()

  const mustExist = async (id: number) => {
    if (!(await listExists(db, id))) throw notFound('mailing list', id)
  }

  /** Checks what becomes of a list by a change. */
  const standing = async (id: number | null, changes: ListChange) => {
    const after_change = await findStanding(db, id, changes)
    if (!after_change) throw notFound('mailing list', String(id))
    if (touchesStanding(changes)) mustStand(after_change)
  }

  router.openapi(create, async (c) => {
    const values = c.req.valid('json')
    await standing(null, values)
    return c.json(await insertList(db, values).catch(refused(values)), 201)
  })

  router.openapi(list, async (c) => {
    const filters = c.req.valid('query')
    const [after_id] = after(filters.cursor, { ...filters, of: 'lists' }, ['number']) ?? [null]
    const rows = await listLists(db, filters.name, after_id, filters.limit)
    return c.json(
      page(rows, filters.limit, { ...filters, of: 'lists' }, ({ id }) => [id]),
      200,
    )
  })

  router.openapi(get, async (c) => {
    const { id } = c.req.valid('param')
    const row = await findCountedList(db, id)
    if (!row) throw notFound('mailing list', id)
    return c.json(row, 200)
  })

  router.openapi(update, async (c) => {
    const { id } = c.req.valid('param')
    const changes = c.req.valid('json')
    await standing(id, changes)
    const row = await updateList(db, id, changes).catch(refused(changes))
    if (!row) {
      await standing(id, changes)
      throw notFound('mailing list', id)
    }
    return c.json(row, 200)
  })

  router.openapi(remove, async (c) => {
    const { id } = c.req.valid('param')
    const outcome = await deleteList(db, id)
    if (outcome === 'unknown') throw notFound('mailing list', id)
    if (outcome === 'in_use') {
      throw new Problem('in_use', `A campaign that is scheduled or on its way, or a segment, names mailing list ${id}.`)
    }
    return c.body(null, 204)
  })

  router.openapi(members, async (c) => {
    const { id } = c.req.valid('param')
    const filters = c.req.valid('query')
    const scope = { ...filters, of: 'members', id }
    const [after_id] = after(filters.cursor, scope, ['number']) ?? [null]
    await mustExist(id)
    const rows = await listMembers(db, id, filters.status, after_id, filters.limit)
    return c.json(
      page(rows, filters.limit, scope, ({ subscriber }) => [subscriber.id]),
      200,
    )
  })

  router.openapi(addMany, async (c) => {
    const { id } = c.req.valid('param')
    const { subscriber_ids, ...consent } = c.req.valid('json')
    await mustExist(id)
    const rows = subscriber_ids.map((subscriber_id) => ({ id: subscriber_id, list_ids: [id], ...consent }))
    const answers = await writeSubscribers(db, hash_key, 'update', rows)
    return c.json({ data: answers.map((answer, index) => indexedAnswer(index, answer)) }, 200)
  })

  router.openapi(add, async (c) => {
    const { id, subscriber_id } = c.req.valid('param')
    const row = { id: subscriber_id, list_ids: [id], ...c.req.valid('json') }
    const [answer] = await writeSubscribers(db, hash_key, 'update', [row])
    if (answer?.refusal === 'unknown_subscriber') throw notFound('subscriber', subscriber_id)
    if (answer?.refusal === 'unknown_list') throw notFound('mailing list', id)
    if (answer?.refusal) throw refusedCall(answer.refusal)
    const standing = await findMember(db, id, subscriber_id)
    if (!answer || !standing) throw notFound('subscriber', subscriber_id)
    return c.json({ ...standing, kept: answer.kept, kept_lists: answer.kept_lists }, 200)
  })

  router.openapi(leave, async (c) => {
    const { id, subscriber_id } = c.req.valid('param')
    if (await leaveList(db, id, subscriber_id)) return c.body(null, 204)
    await mustExist(id)
    throw new Problem('not_found', `Subscriber ${subscriber_id} was never on mailing list ${id}.`)
  })

  return router
}

/** A list whose sender was taken away meanwhile can still be renamed. */
const touchesStanding = ({ visibility, opt_in, consent_wording, sender_id }: ListChange) =>
  [visibility, opt_in, consent_wording, sender_id].some((value) => value !== undefined)

const refused =
  ({ name, sender_id }: ListChange) =>
  (error: unknown) => {
    if (violates(error, SENDER_KEY)) throw invalidField('sender_id', `names no sender: there is no sender ${sender_id}`)
    if (!violates(error, 'mailing_lists_name')) throw error
    throw new Problem('name_taken', `There is another mailing list called ${name}.`, {
      errors: [{ field: 'name', detail: 'is in use (upper and lower case count as the same)' }],
    })
  }
