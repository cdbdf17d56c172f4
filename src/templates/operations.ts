// What the template routes take and answer.
import * as z from 'zod'
import { operation } from '../http/route.ts'
import { idParams, pageOf, pageQuery } from '../http/schema.ts'
import {
  listedTemplate,
  newTemplate,
  preview,
  savedPreview,
  template,
  templateChange,
  unsavedPreview,
} from './schema.ts'

const tags = ['Templates']
const json = <T extends z.ZodType>(schema: T) => ({ content: { 'application/json': { schema } } })
const body = <T extends z.ZodType>(schema: T) => ({ required: true, ...json(schema) })

export const create = operation(
  { scope: 'write' },
  {
    method: 'post',
    path: '/templates',
    tags,
    summary: 'Create a template',
    description: 'Compiles it; one that does not compile is refused with a line and reason for every problem.',
    request: { body: body(newTemplate) },
    responses: { 201: { description: 'Created', ...json(template) } },
  },
)

export const list = operation(
  { scope: 'read' },
  {
    method: 'get',
    path: '/templates',
    tags,
    summary: 'List templates',
    request: { query: z.strictObject(pageQuery) },
    responses: { 200: { description: 'A page, newest first', ...json(pageOf(listedTemplate)) } },
  },
)

export const get = operation(
  { scope: 'read' },
  {
    method: 'get',
    path: '/templates/{id}',
    tags,
    summary: 'Get a template',
    request: { params: idParams },
    responses: { 200: { description: 'Its newest version', ...json(template) } },
  },
)

export const update = operation(
  { scope: 'write' },
  {
    method: 'patch',
    path: '/templates/{id}',
    tags,
    summary: 'Change a template',
    description:
      'A new format or source makes a new version. Campaigns that have started keep what they were started with.',
    request: { params: idParams, body: body(templateChange) },
    responses: { 200: { description: 'Changed', ...json(template) } },
  },
)

export const remove = operation(
  { scope: 'write' },
  {
    method: 'delete',
    path: '/templates/{id}',
    tags,
    summary: 'Delete a template',
    description: 'Refused while a scheduled campaign needs it.',
    request: { params: idParams },
    responses: { 204: { description: 'Deleted' } },
  },
)

export const previewSaved = operation(
  { scope: 'read', idempotency: 'needless' },
  {
    method: 'post',
    path: '/templates/{id}/preview',
    tags,
    summary: 'Preview a template with sample data',
    request: { params: idParams, body: body(savedPreview) },
    responses: { 200: { description: 'One rendered mail', ...json(preview) } },
  },
)

export const previewUnsaved = operation(
  { scope: 'read', idempotency: 'needless' },
  {
    method: 'post',
    path: '/templates/preview',
    tags,
    summary: 'Preview a source without saving it',
    request: { body: body(unsavedPreview) },
    responses: { 200: { description: 'One rendered mail', ...json(preview) } },
  },
)
