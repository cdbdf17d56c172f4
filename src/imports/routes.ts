import * as z from 'zod'
import { after, page } from '../http/cursor.ts'
import { invalidField, notFound } from '../http/problem.ts'
import { createRouter, operation } from '../http/route.ts'
import { idParams, pageOf } from '../http/schema.ts'
import type { Services } from '../http/services.ts'
import { cancelImport, holdImport } from './lease.ts'
import { receivePart } from './receive.ts'
import { exportRefusals, listRefusals } from './refusals.ts'
import {
  answerOf,
  delimiterOf,
  importAnswer,
  importQuery,
  newImportQuery,
  partHeaders,
  partQuery,
  REPEATABLE,
  refusal,
} from './schema.ts'
import { findImport, insertImport, listImports, unknownLists } from './store.ts'

const tags = ['Imports']
const one = { content: { 'application/json': { schema: importAnswer } } }
const file = { content: { 'text/csv': { schema: z.string().openapi({ format: 'binary' }) } } }

const create = operation(
  { scope: 'write', streamed: 'text/csv', repeatable: REPEATABLE, idempotency: 'refused' },
  {
    method: 'post',
    path: '/imports',
    tags,
    summary: 'Import a CSV file, or its first part',
    description:
      'The body is the file itself, read as it arrives: comma, semicolon or tab, with a first line that names the columns. Exports of Mailchimp, listmonk, Brevo and SendGrid are recognised. Nobody who opted out, bounced, complained or was deleted becomes mailable by it. Refused rows hold up no others.\n\nA large file is sent in parts of some 8 MB: this call with `complete=false` and the first part (or none), then PATCH with one part after the other. Cloudflare takes 100 MB in one request, 200 MB on its Business plan.',
    request: { query: newImportQuery, body: file },
    responses: { 201: { description: 'Made, and the part read', ...one } },
  },
)

const append = operation(
  { scope: 'write', streamed: 'text/csv', idempotency: 'refused' },
  {
    method: 'patch',
    path: '/imports/{id}',
    tags,
    summary: 'Send the next part of a file',
    description:
      'The part begins at byte `next_offset` of the file, as the answer before says; anything else is `409 upload_offset_mismatch`, which says it too. A part may be cut anywhere: what is not a whole record is not read, and the next part begins with it. When a connection broke off, GET tells where to go on; `409 import_busy` while a part is still being read. No row is ever written or counted twice.',
    request: { params: idParams, query: partQuery, headers: partHeaders, body: file },
    responses: { 200: { description: 'The part was read', ...one } },
  },
)

const list = operation(
  { scope: 'read' },
  {
    method: 'get',
    path: '/imports',
    tags,
    summary: 'List imports',
    description: 'The newest first. Imports that ended over 30 days ago are forgotten.',
    request: { query: importQuery },
    responses: { 200: { description: 'A page', content: { 'application/json': { schema: pageOf(importAnswer) } } } },
  },
)

const get = operation(
  { scope: 'read' },
  {
    method: 'get',
    path: '/imports/{id}',
    tags,
    summary: 'Get an import',
    description: 'How far it is and what became of its rows, also while a part is being read.',
    request: { params: idParams },
    responses: { 200: { description: 'The import', ...one } },
  },
)

const refusals = operation(
  { scope: 'read' },
  {
    method: 'get',
    path: '/imports/{id}/refusals',
    tags,
    summary: 'List the rows that an import refused',
    request: { params: idParams, query: importQuery },
    responses: {
      200: { description: 'A page, by line', content: { 'application/json': { schema: pageOf(refusal) } } },
    },
  },
)

const download = operation(
  { scope: 'read' },
  {
    method: 'get',
    path: '/imports/{id}/refusals.csv',
    tags,
    summary: 'The rows that an import refused, as CSV',
    description:
      'Line and reason, then the row as it stood in the file and with its delimiter: corrected, it can be imported again (the columns `line` and `reason` are left out then).',
    request: { params: idParams },
    responses: { 200: { description: 'A file with a header line', content: { 'text/csv': { schema: z.string() } } } },
  },
)

const cancel = operation(
  { scope: 'write' },
  {
    method: 'post',
    path: '/imports/{id}/cancel',
    tags,
    summary: 'Cancel an import',
    description: 'No more of the file is taken; rows that were written stay.',
    request: { params: idParams },
    responses: { 200: { description: 'Cancelled', ...one } },
  },
)

export function importRoutes({ db, hash_key }: Services) {
  const router = createRouter()

  const read = async (id: number) => {
    const found = await findImport(db, id)
    if (!found) throw notFound('import', id)
    return found
  }

  const receive = async (
    import_id: number,
    from: number,
    body: ReadableStream<Uint8Array> | null,
    complete: boolean,
  ) => {
    const hold = { import_id, token: crypto.randomUUID() }
    const held = await holdImport(db, hold, from)
    await receivePart({ db, hash_key }, held, hold, body, complete)
    return answerOf(await read(import_id))
  }

  router.openapi(create, async (c) => {
    const { kind, dry_run, list_id, policy, tag, consent_source, map, encoding, delimiter, ...more } =
      c.req.valid('query')
    const [unknown] = await unknownLists(db, list_id)
    if (unknown !== undefined) throw invalidField('list_id', `names no list: ${unknown}`)
    const options = {
      policy,
      list_ids: list_id,
      tags: tag,
      consent_source: consent_source ?? null,
      mapping: Object.fromEntries(map),
      encoding: encoding ?? null,
      delimiter: delimiter === undefined ? null : delimiterOf(delimiter),
    }
    const { file_name = null, size = null, complete } = more
    const id = await insertImport(db, { kind, dry_run, options, file_name, size })
    const receiving = receive(id, 0, c.req.raw.body, complete)
    // What was read of a file is written also when its sender has gone.
    c.executionCtx.waitUntil(receiving.catch(() => {}))
    return c.json(await receiving, 201)
  })

  router.openapi(append, async (c) => {
    const { id } = c.req.valid('param')
    const { complete } = c.req.valid('query')
    const receiving = receive(id, c.req.valid('header')['upload-offset'], c.req.raw.body, complete)
    c.executionCtx.waitUntil(receiving.catch(() => {}))
    return c.json(await receiving, 200)
  })

  router.openapi(list, async (c) => {
    const filters = { ...c.req.valid('query'), of: 'imports' }
    const [before_id] = after(filters.cursor, filters, ['number']) ?? [null]
    const rows = await listImports(db, before_id, filters.limit)
    const found = page(rows, filters.limit, filters, ({ id }) => [id])
    return c.json({ ...found, data: found.data.map(answerOf) }, 200)
  })

  router.openapi(get, async (c) => c.json(answerOf(await read(c.req.valid('param').id)), 200))

  router.openapi(refusals, async (c) => {
    const { id } = await read(c.req.valid('param').id)
    const filters = { ...c.req.valid('query'), of: `refusals of ${id}` }
    const [after_line] = after(filters.cursor, filters, ['number']) ?? [0]
    const rows = await listRefusals(db, id, after_line, filters.limit + 1)
    return c.json(
      page(rows, filters.limit, filters, ({ line }) => [line]),
      200,
    )
  })

  router.openapi(download, async (c) => {
    const { id, state } = await read(c.req.valid('param').id)
    return c.body(exportRefusals(db, id, state?.header ?? [], state?.delimiter ?? ','), 200, {
      'content-type': 'text/csv; charset=utf-8',
      'content-disposition': `attachment; filename="refusals-${id}.csv"`,
    })
  })

  router.openapi(cancel, async (c) => {
    const { id } = c.req.valid('param')
    await cancelImport(db, id)
    return c.json(answerOf(await read(id)), 200)
  })

  return router
}
