import type { Database } from '../db/client.ts'
import { after, page } from '../http/cursor.ts'
import { notFound, Problem } from '../http/problem.ts'
import { createRouter } from '../http/route.ts'
import type { Services } from '../http/services.ts'
import { loadPartials } from '../partials/load.ts'
import { compileTemplate, type TemplateSource } from './compile.ts'
import type { CompiledTemplate } from './compiled.ts'
import * as op from './operations.ts'
import { type PreviewRequest, previewMail } from './preview.ts'
import { keepPreview } from './preview-page.ts'
import { orRefuse, partialGone, versionConflict } from './refusal.ts'
import {
  addVersion,
  deleteTemplate,
  findTemplate,
  findVersion,
  insertTemplate,
  listTemplates,
  listVersions,
  renameTemplate,
} from './store.ts'

export function templateRoutes(services: Services) {
  const { db, redis, redis_keys, public_url } = services
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

  const preview = async (compiled: CompiledTemplate, request: PreviewRequest, url: string) => {
    const mail = await previewMail(services, compiled, request)
    const path = await keepPreview(redis, redis_keys, mail.html)
    return { ...mail, html_url: path && `${public_url || new URL(url).origin}${path}` }
  }

  router.openapi(op.create, async (c) => {
    const { name, ...source } = c.req.valid('json')
    const id = await insertTemplate(db, name, { ...source, compiled: await compile(db, source) })
    if (id === null) throw partialGone()
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
    const compiled = await compile(db, { format, source, text_source })
    return c.json(await preview(compiled, sample, c.req.url), 200)
  })

  router.openapi(op.previewSaved, async (c) => {
    const { compiled } = await find(c.req.valid('param').id)
    return c.json(await preview(compiled, c.req.valid('json'), c.req.url), 200)
  })

  router.openapi(op.get, async (c) => c.json(await read(c.req.valid('param').id), 200))

  router.openapi(op.update, async (c) => {
    const { id } = c.req.valid('param')
    const { version: from_version, name, ...change } = c.req.valid('json')
    const row = await find(id)
    if (from_version !== undefined && from_version !== row.version) throw versionConflict(`Template ${id}`, row.version)

    const source: TemplateSource = {
      format: change.format ?? row.format,
      source: change.source ?? row.source,
      text_source: change.text_source === undefined ? row.text_source : change.text_source,
    }
    const is_new =
      source.format !== row.format || source.source !== row.source || source.text_source !== row.text_source
    let done = true
    if (is_new) {
      done = await addVersion(db, id, row.version, name, { ...source, compiled: await compile(db, source) })
    } else if (name !== undefined) done = await renameTemplate(db, id, row.version, name)
    if (!done) throw versionConflict(`Template ${id}`, row.version)
    return c.json(await read(id), 200)
  })

  router.openapi(op.recompile, async (c) => {
    const { id } = c.req.valid('param')
    const { format, source, text_source, version, partials } = await find(id)
    if (partials.some((partial) => partial.newest_version !== partial.version)) {
      const content = { format, source, text_source }
      const done = await addVersion(db, id, version, undefined, { ...content, compiled: await compile(db, content) })
      if (!done) throw versionConflict(`Template ${id}`, version)
    }
    return c.json(await read(id), 200)
  })

  router.openapi(op.versions, async (c) => {
    const { id } = c.req.valid('param')
    const { limit, cursor } = c.req.valid('query')
    const filters = { of: 'template versions', id }
    const [before] = after(cursor, filters, ['number']) ?? [null]
    await find(id)
    const rows = await listVersions(db, id, before, limit)
    return c.json(
      page(rows, limit, filters, ({ version }) => [version]),
      200,
    )
  })

  router.openapi(op.getVersion, async (c) => {
    const { id, version } = c.req.valid('param')
    await find(id)
    const row = await findVersion(db, id, version)
    if (!row) throw notFound('version', `${version} of template ${id}`)
    const { compiled, ...rest } = row
    const { variables, links, warnings } = compiled
    return c.json({ ...rest, variables, links, warnings }, 200)
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

async function compile(db: Database, template: TemplateSource) {
  const partials = await loadPartials(db, template.source, template.text_source)
  return orRefuse(compileTemplate(template, partials))
}
