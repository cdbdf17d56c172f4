import type { Database } from '../db/client.ts'
import { violates } from '../db/violation.ts'
import { after, page } from '../http/cursor.ts'
import { notFound, Problem } from '../http/problem.ts'
import { createRouter } from '../http/route.ts'
import type { Services } from '../http/services.ts'
import { calledNames } from '../templates/calls.ts'
import { orRefuse, partialGone, versionConflict } from '../templates/refusal.ts'
import { checkPartial } from './check.ts'
import { deletePartial, holdersOf } from './delete.ts'
import { loadPartials } from './load.ts'
import * as op from './operations.ts'
import { addPartialVersion, findPartial, insertPartial, listPartials, type PartialContent } from './store.ts'

export function partialRoutes({ db }: Services) {
  const router = createRouter()

  const find = async (id: number) => {
    const row = await findPartial(db, id)
    if (!row) throw notFound('partial', id)
    return row
  }
  const read = async (id: number) => {
    const [row, holders] = await Promise.all([find(id), holdersOf(db, id)])
    return { ...row, ...holders }
  }

  router.openapi(op.create, async (c) => {
    const { name, ...sources } = c.req.valid('json')
    const { content, warnings } = await check(db, name, sources)
    const id = await insertPartial(db, name, content).catch((error: unknown) => {
      if (!violates(error, 'partials_name')) throw error
      throw new Problem('name_taken', `There is another partial named "${name}".`, {
        errors: [{ field: 'name', detail: 'is in use' }],
      })
    })
    if (id === null) throw partialGone()
    return c.json({ ...(await read(id)), warnings }, 201)
  })

  router.openapi(op.list, async (c) => {
    const { limit, cursor } = c.req.valid('query')
    const [after_name] = after(cursor, { of: 'partials' }, ['string']) ?? [null]
    const rows = await listPartials(db, after_name, limit)
    return c.json(
      page(rows, limit, { of: 'partials' }, ({ name }) => [name]),
      200,
    )
  })

  router.openapi(op.get, async (c) => c.json(await read(c.req.valid('param').id), 200))

  router.openapi(op.update, async (c) => {
    const { id } = c.req.valid('param')
    const { version, ...change } = c.req.valid('json')
    const row = await find(id)
    if (version !== undefined && version !== row.version) throw versionConflict(`Partial ${id}`, row.version)
    const sources = {
      format: change.format ?? row.format,
      source: change.source ?? row.source,
      text_source: change.text_source === undefined ? row.text_source : change.text_source,
    }
    const { content, warnings } = await check(db, row.name, sources)
    const { format, source, text_source } = sources
    const is_new = format !== row.format || source !== row.source || text_source !== row.text_source
    if (is_new && !(await addPartialVersion(db, id, row.version, content))) {
      throw versionConflict(`Partial ${id}`, row.version)
    }
    return c.json({ ...(await read(id)), warnings }, 200)
  })

  router.openapi(op.remove, async (c) => {
    const { id } = c.req.valid('param')
    const outcome = await deletePartial(db, id)
    if (outcome === 'unknown') throw notFound('partial', id)
    if (outcome !== 'deleted') throw stillHeld(id, outcome)
    return c.body(null, 204)
  })

  return router
}

async function check(db: Database, name: string, sources: Omit<PartialContent, 'uses'>) {
  const others = await loadPartials(db, sources.source, sources.text_source)
  const warnings = await orRefuse(checkPartial({ name, ...sources }, others))
  const uses = calledNames(sources.source, sources.text_source).filter((called) => others.found.has(called))
  return { content: { ...sources, uses }, warnings }
}

function stillHeld(id: number, { templates, partials }: Awaited<ReturnType<typeof holdersOf>>): Problem {
  const names = [
    ...templates.map((template) => `template ${template.id} (${template.name})`),
    ...partials.map((partial) => `partial ${partial.id} (${partial.name})`),
  ]
  return new Problem('in_use', `Partial ${id} is called by ${names.join(', ')}.`)
}
