import { eq } from 'drizzle-orm'
import * as z from 'zod'
import { readAttributeTypes } from '../attributes/store.ts'
import type { Database } from '../db/client.ts'
import { after, page } from '../http/cursor.ts'
import { notFound } from '../http/problem.ts'
import { createRouter, operation } from '../http/route.ts'
import { idParams, pageOf } from '../http/schema.ts'
import type { Services } from '../http/services.ts'
import { mailing_lists } from '../lists/table.ts'
import { findSegment } from '../segments/store.ts'
import { subscribers } from '../subscribers/table.ts'
import { exportConsents, listConsents } from './consents.ts'
import { fileResponse } from './file.ts'
import { exportPerson } from './person.ts'
import { consent, consentQuery, fileAnswer, formulaSafe, personalData, subscribersExportQuery } from './schema.ts'
import { exportSubscribers } from './subscribers.ts'

const tags = ['Subscribers']

const people = operation(
  { scope: 'read' },
  {
    method: 'get',
    path: '/subscribers/export',
    tags,
    summary: 'Subscribers as a file: all, a list, a segment, or whoever fits the filters',
    description:
      'By id, read as it is taken; when something fails the connection breaks, so half a file does not pass for the whole. CSV has a column `attributes.<name>` for each attribute with a declared type and one, `attributes`, with all else as JSON. `POST /imports` reads it back without loss.',
    request: { query: subscribersExportQuery },
    responses: fileAnswer,
  },
)

const consents = operation(
  { scope: 'read' },
  {
    method: 'get',
    path: '/subscribers/{id}/consents',
    tags,
    summary: 'Every consent a subscriber gave or took back',
    description:
      'In the order in which they were recorded: the proof of who agreed to what, when, where and to which text.',
    request: { params: idParams, query: consentQuery },
    responses: { 200: { description: 'A page', content: { 'application/json': { schema: pageOf(consent) } } } },
  },
)

const consentsFile = operation(
  { scope: 'read' },
  {
    method: 'get',
    path: '/subscribers/{id}/consents.csv',
    tags,
    summary: 'The same as a file',
    request: { params: idParams, query: z.strictObject({ formula_safe: formulaSafe }) },
    responses: { 200: { description: 'A file with a header line', content: { 'text/csv': { schema: z.string() } } } },
  },
)

const data = operation(
  { scope: 'read' },
  {
    method: 'get',
    path: '/subscribers/{id}/data',
    tags,
    summary: 'Everything that is kept of a subscriber, as one document',
    description:
      'What they may ask for: profile, lists, consents, mails, opens, clicks, and what services told of them.',
    request: { params: idParams },
    responses: { 200: { description: 'The document', content: { 'application/json': { schema: personalData } } } },
  },
)

/** They stand before those of subscribers: `export` is no id. */
export function exportRoutes({ db }: Services) {
  const router = createRouter()

  router.openapi(people, async (c) => {
    const { format, formula_safe, list_id, standing = 'subscribed', segment_id, ...filters } = c.req.valid('query')
    const [list, segment, types] = await Promise.all([
      list_id === undefined ? undefined : findList(db, list_id),
      segment_id === undefined ? undefined : findSegment(db, segment_id),
      readAttributeTypes(db),
    ])
    if (list_id !== undefined && !list) throw notFound('list', list_id)
    if (segment_id !== undefined && !segment) throw notFound('segment', segment_id)
    const file = exportSubscribers(db, {
      people: { ...filters, list: list && { id: list.id, standing }, segment: segment?.filter },
      format,
      formula_safe: formula_safe === 'true',
      types,
    })
    const of = [list_id && `list-${list_id}`, segment_id && `segment-${segment_id}`, filters.status].filter(Boolean)
    return fileResponse(file, ['subscribers', ...of].join('-'), format)
  })

  router.openapi(consents, async (c) => {
    const { id } = c.req.valid('param')
    await findPerson(db, id)
    const { limit, cursor } = c.req.valid('query')
    const filters = { of: 'consents', id }
    const [after_id] = after(cursor, filters, ['number']) ?? [0]
    const rows = await listConsents(db, id, after_id, limit + 1)
    return c.json(
      page(rows, limit, filters, (row) => [row.id]),
      200,
    )
  })

  router.openapi(consentsFile, async (c) => {
    const { id } = c.req.valid('param')
    const person = await findPerson(db, id)
    const file = exportConsents(db, person, c.req.valid('query').formula_safe === 'true')
    return fileResponse(file, `consents-${id}`, 'csv')
  })

  router.openapi(data, async (c) => {
    const { id } = c.req.valid('param')
    const found = await exportPerson(db, id)
    if (!found) throw notFound('subscriber', id)
    return c.json(found, 200)
  })

  return router
}

async function findList(db: Database, id: number) {
  const [row] = await db.select({ id: mailing_lists.id }).from(mailing_lists).where(eq(mailing_lists.id, id))
  return row
}

async function findPerson(db: Database, id: number) {
  const [row] = await db
    .select({ id: subscribers.id, email: subscribers.email })
    .from(subscribers)
    .where(eq(subscribers.id, id))
  if (!row) throw notFound('subscriber', id)
  return row
}
