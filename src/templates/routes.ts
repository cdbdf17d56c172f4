import { after, page } from '../http/cursor.ts'
import { notFound, Problem } from '../http/problem.ts'
import { createRouter } from '../http/route.ts'
import type { Services } from '../http/services.ts'
import { compileTemplate, type TemplateSource } from './compile.ts'
import { TemplateError } from './errors.ts'
import * as op from './operations.ts'
import { renderPreview } from './preview.ts'
import { addVersion, deleteTemplate, findTemplate, insertTemplate, listTemplates, renameTemplate } from './store.ts'

export function templateRoutes({ db }: Services) {
  const router = createRouter()

  const find = async (id: number) => {
    const row = await findTemplate(db, id)
    if (!row) throw notFound('template', id)
    return row
  }
  const read = async (id: number) => {
    const { compiled, ...row } = await find(id)
    const { variables, links, warnings } = compiled
    return { ...row, variables, links, warnings }
  }

  router.openapi(op.create, async (c) => {
    const { name, ...source } = c.req.valid('json')
    const id = await insertTemplate(db, name, { ...source, compiled: await compile(source) })
    return c.json(await read(id), 201)
  })

  router.openapi(op.list, async (c) => {
    const { limit, cursor } = c.req.valid('query')
    const [before_id] = after(cursor, { of: 'templates' }, ['number']) ?? [null]
    const rows = await listTemplates(db, before_id, limit)
    return c.json(
      page(rows, limit, { of: 'templates' }, ({ id }) => [id]),
      200,
    )
  })

  router.openapi(op.previewUnsaved, async (c) => {
    const { format, source, text_source, ...sample } = c.req.valid('json')
    return c.json(renderPreview(await compile({ format, source, text_source }), sample), 200)
  })

  router.openapi(op.previewSaved, async (c) => {
    const { compiled } = await find(c.req.valid('param').id)
    return c.json(renderPreview(compiled, c.req.valid('json')), 200)
  })

  router.openapi(op.get, async (c) => c.json(await read(c.req.valid('param').id), 200))

  router.openapi(op.update, async (c) => {
    const { id } = c.req.valid('param')
    const { version: from_version, name, ...change } = c.req.valid('json')
    const row = await find(id)
    const conflict = () =>
      new Problem('version_conflict', `Template ${id} was changed meanwhile. Read it again and repeat your change.`, {
        errors: [{ field: 'version', detail: `is not the newest, which was ${row.version} a moment ago` }],
      })
    if (from_version !== undefined && from_version !== row.version) throw conflict()

    const source: TemplateSource = {
      format: change.format ?? row.format,
      source: change.source ?? row.source,
      text_source: change.text_source === undefined ? row.text_source : change.text_source,
    }
    const is_new =
      source.format !== row.format || source.source !== row.source || source.text_source !== row.text_source
    let done = true
    if (is_new) {
      done = await addVersion(db, id, row.version, name, { ...source, compiled: await compile(source) })
    } else if (name !== undefined) done = await renameTemplate(db, id, row.version, name)
    if (!done) throw conflict()
    return c.json(await read(id), 200)
  })

  router.openapi(op.remove, async (c) => {
    const { id } = c.req.valid('param')
    const outcome = await deleteTemplate(db, id)
    if (outcome === 'unknown') throw notFound('template', id)
    if (outcome === 'in_use') throw new Problem('in_use', `A scheduled campaign needs template ${id}.`)
    return c.body(null, 204)
  })

  return router
}

async function compile(source: TemplateSource) {
  try {
    return await compileTemplate(source)
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error
    const [first] = error.problems
    const place = first?.line === undefined ? '' : `, line ${first.line}`
    const detail = first ? `${first.field}${place}: ${first.detail}` : 'The template does not compile.'
    throw new Problem('template_invalid', detail, { errors: error.problems })
  }
}
