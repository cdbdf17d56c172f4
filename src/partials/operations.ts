// What the partial routes take and answer.
import * as z from 'zod'
import { operation } from '../http/route.ts'
import { idParams, pageOf, pageQuery } from '../http/schema.ts'
import { SOURCES_LIMIT } from '../templates/schema.ts'
import { listedPartial, newPartial, partial, partialChange, savedPartial } from './schema.ts'

const tags = ['Partials']
const json = <T extends z.ZodType>(schema: T) => ({ content: { 'application/json': { schema } } })
const body = <T extends z.ZodType>(schema: T) => ({ required: true, ...json(schema) })

export const create = operation(
  { scope: 'write', body_limit: SOURCES_LIMIT },
  {
    method: 'post',
    path: '/partials',
    tags,
    summary: 'Create a partial',
    description:
      'A part that templates share. MJML partials stand between the elements of MJML templates, HTML partials wherever text may stand.',
    request: { body: body(newPartial) },
    responses: { 201: { description: 'Created', ...json(savedPartial) } },
  },
)

export const list = operation(
  { scope: 'read' },
  {
    method: 'get',
    path: '/partials',
    tags,
    summary: 'List partials',
    request: { query: z.strictObject(pageQuery) },
    responses: { 200: { description: 'A page, by name', ...json(pageOf(listedPartial)) } },
  },
)

export const get = operation(
  { scope: 'read' },
  {
    method: 'get',
    path: '/partials/{id}',
    tags,
    summary: 'Get a partial',
    request: { params: idParams },
    responses: { 200: { description: 'Its newest version, and who holds it', ...json(partial) } },
  },
)

export const update = operation(
  { scope: 'write', body_limit: SOURCES_LIMIT },
  {
    method: 'patch',
    path: '/partials/{id}',
    tags,
    summary: 'Change a partial',
    description:
      'Makes a new version. Templates keep the one they were compiled with until they are changed or recompiled: `templates` says which those are.',
    request: { params: idParams, body: body(partialChange) },
    responses: { 200: { description: 'Changed', ...json(savedPartial) } },
  },
)

export const remove = operation(
  { scope: 'write' },
  {
    method: 'delete',
    path: '/partials/{id}',
    tags,
    summary: 'Delete a partial',
    description: 'Refused while the newest version of a template holds it, or another partial calls it.',
    request: { params: idParams },
    responses: { 204: { description: 'Deleted' } },
  },
)
