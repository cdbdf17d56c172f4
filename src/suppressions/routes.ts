import { fileResponse } from '../exports/file.ts'
import { fileAnswer } from '../exports/schema.ts'
import { after, page } from '../http/cursor.ts'
import { notFound } from '../http/problem.ts'
import { createRouter, operation } from '../http/route.ts'
import { idParams, pageOf } from '../http/schema.ts'
import type { Services } from '../http/services.ts'
import { hashEmail } from '../subscribers/erasure.ts'
import { addSuppressions } from './add.ts'
import { exportSuppressions } from './export.ts'
import {
  bulkSuppressions,
  exportQuery,
  newSuppression,
  suppression,
  suppressionAnswers,
  suppressionQuery,
} from './schema.ts'
import { deleteSuppression, findSuppression, listSuppressions } from './store.ts'

const tags = ['Suppressions']

const add = operation(
  { scope: 'write' },
  {
    method: 'post',
    path: '/suppressions',
    tags,
    summary: 'Suppress up to 1,000 addresses, domains and keyed hashes',
    description:
      'Nobody suppressed is mailed, whatever lists they are on; their status stays as it is. A domain covers exactly itself, not its subdomains. A hash is that of an address, made with the HASH_KEY of this installation, such as deleted subscribers leave behind; the address cannot come in again without a new consent. One answer per row, in order; what is suppressed already stays as it is.',
    request: { body: { required: true, content: { 'application/json': { schema: bulkSuppressions } } } },
    responses: {
      200: { description: 'One answer per row', content: { 'application/json': { schema: suppressionAnswers } } },
    },
  },
)

const list = operation(
  { scope: 'read' },
  {
    method: 'get',
    path: '/suppressions',
    tags,
    summary: 'List suppressions',
    request: { query: suppressionQuery },
    responses: { 200: { description: 'A page', content: { 'application/json': { schema: pageOf(suppression) } } } },
  },
)

const download = operation(
  { scope: 'read' },
  {
    method: 'get',
    path: '/suppressions/export',
    tags,
    summary: 'All suppressions as a file',
    description:
      'CSV or lines of JSON, by id; `POST /imports?kind=suppressions` reads the CSV back. Hashes are whole: they mean something only beside the HASH_KEY that they were made with.',
    request: { query: exportQuery },
    responses: fileAnswer,
  },
)

const get = operation(
  { scope: 'read' },
  {
    method: 'get',
    path: '/suppressions/{id}',
    tags,
    summary: 'Get a suppression',
    request: { params: idParams },
    responses: { 200: { description: 'The suppression', content: { 'application/json': { schema: suppression } } } },
  },
)

const remove = operation(
  { scope: 'admin' },
  {
    method: 'delete',
    path: '/suppressions/{id}',
    tags,
    summary: 'Lift a suppression',
    description: 'May make someone mailable again who asked not to be: have their consent.',
    request: { params: idParams },
    responses: { 204: { description: 'Lifted' } },
  },
)

export function suppressionRoutes({ db, hash_key }: Services) {
  const router = createRouter()
  router.openAPIRegistry.register('NewSuppression', newSuppression)

  router.openapi(add, async (c) => {
    const { suppressions } = c.req.valid('json')
    return c.json({ data: await addSuppressions(db, hash_key, suppressions) }, 200)
  })

  router.openapi(list, async (c) => {
    const filters = c.req.valid('query')
    const [after_id] = after(filters.cursor, { ...filters, of: 'suppressions' }, ['number']) ?? [null]
    const { value } = filters
    const hash = value?.includes('@') ? await hashEmail(hash_key, value) : undefined
    const rows = await listSuppressions(db, { ...filters, hash }, after_id, filters.limit + 1)
    return c.json(
      page(rows, filters.limit, { ...filters, of: 'suppressions' }, ({ id }) => [id]),
      200,
    )
  })

  router.openapi(download, (c) => {
    const { format, formula_safe, ...filters } = c.req.valid('query')
    const file = exportSuppressions(db, filters, format, formula_safe === 'true')
    return fileResponse(file, 'suppressions', format)
  })

  router.openapi(get, async (c) => {
    const { id } = c.req.valid('param')
    const row = await findSuppression(db, id)
    if (!row) throw notFound('suppression', id)
    return c.json(row, 200)
  })

  router.openapi(remove, async (c) => {
    const { id } = c.req.valid('param')
    if (!(await deleteSuppression(db, id))) throw notFound('suppression', id)
    return c.body(null, 204)
  })

  return router
}
