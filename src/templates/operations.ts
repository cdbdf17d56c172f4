// What the template routes take and answer.
import * as z from 'zod'
import { operation } from '../http/route.ts'
import { idParams, pageOf, pageQuery } from '../http/schema.ts'
import {
  listedTemplate,
  listedVersion,
  newTemplate,
  preview,
  SOURCES_LIMIT,
  savedPreview,
  template,
  templateChange,
  templateVersion,
  unsavedPreview,
  versionParams,
} from './schema.ts'

const tags = ['Templates']
const json = <T extends z.ZodType>(schema: T) => ({ content: { 'application/json': { schema } } })
const body = <T extends z.ZodType>(schema: T) => ({ required: true, ...json(schema) })

export const create = operation(
  { scope: 'write', body_limit: SOURCES_LIMIT },
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
  { scope: 'write', body_limit: SOURCES_LIMIT },
  {
    method: 'patch',
    path: '/templates/{id}',
    tags,
    summary: 'Change a template',
    description:
      'A new format or source makes a new version, with the newest partials. Campaigns that are scheduled or have started keep theirs.',
    request: { params: idParams, body: body(templateChange) },
    responses: { 200: { description: 'Changed', ...json(template) } },
  },
)

export const recompile = operation(
  { scope: 'write' },
  {
    method: 'post',
    path: '/templates/{id}/recompile',
    tags,
    summary: 'Take the newest partials into a template',
    description: 'Makes a new version of the same source, if any of its partials has a newer version.',
    request: { params: idParams },
    responses: { 200: { description: 'Its newest version', ...json(template) } },
  },
)

export const versions = operation(
  { scope: 'read' },
  {
    method: 'get',
    path: '/templates/{id}/versions',
    tags,
    summary: "List a template's versions",
    request: { params: idParams, query: z.strictObject(pageQuery) },
    responses: { 200: { description: 'A page, newest first', ...json(pageOf(listedVersion)) } },
  },
)

export const getVersion = operation(
  { scope: 'read' },
  {
    method: 'get',
    path: '/templates/{id}/versions/{version}',
    tags,
    summary: 'Get one version of a template',
    request: { params: versionParams },
    responses: { 200: { description: 'As it was saved', ...json(templateVersion) } },
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
    summary: 'Preview a template',
    description: 'Links lead straight to their targets, and nothing in it counts as an open or a click.',
    request: { params: idParams, body: body(savedPreview) },
    responses: { 200: { description: 'One rendered mail', ...json(preview) } },
  },
)

export const previewUnsaved = operation(
  { scope: 'read', idempotency: 'needless', body_limit: SOURCES_LIMIT },
  {
    method: 'post',
    path: '/templates/preview',
    tags,
    summary: 'Preview a source without saving it',
    request: { body: body(unsavedPreview) },
    responses: { 200: { description: 'One rendered mail', ...json(preview) } },
  },
)
