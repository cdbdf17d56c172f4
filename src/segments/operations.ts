// What /segments answers, as OpenAPI describes it; routes.ts says what each does.
import { operation } from '../http/route.ts'
import { idParams, pageOf } from '../http/schema.ts'
import { subscriber } from '../subscribers/schema.ts'
import {
  newSegment,
  peopleQuery,
  segment,
  segmentChange,
  segmentCount,
  segmentQuery,
  unsavedFilter,
  unsavedPage,
} from './schema.ts'

const tags = ['Segments']
const body = <T>(schema: T) => ({ required: true, content: { 'application/json': { schema } } })
const answers = <T>(description: string, schema: T) => ({ description, content: { 'application/json': { schema } } })

const SLOW = 'Refused with `segment_too_slow` when Postgres cannot tell within five seconds.'

export const create = operation(
  { scope: 'write' },
  {
    method: 'post',
    path: '/segments',
    tags,
    summary: 'Save a filter as a segment',
    description: 'Who is in it is asked anew each time.',
    request: { body: body(newSegment) },
    responses: { 201: answers('Created', segment) },
  },
)

export const list = operation(
  { scope: 'read' },
  {
    method: 'get',
    path: '/segments',
    tags,
    summary: 'List segments',
    request: { query: segmentQuery },
    responses: { 200: answers('A page', pageOf(segment)) },
  },
)

export const get = operation(
  { scope: 'read' },
  {
    method: 'get',
    path: '/segments/{id}',
    tags,
    summary: 'Get a segment',
    request: { params: idParams },
    responses: { 200: answers('The segment', segment) },
  },
)

export const update = operation(
  { scope: 'write' },
  {
    method: 'patch',
    path: '/segments/{id}',
    tags,
    summary: 'Change a segment',
    description: 'A campaign that has started keeps the filter it started with.',
    request: { params: idParams, body: body(segmentChange) },
    responses: { 200: answers('Changed', segment) },
  },
)

export const remove = operation(
  { scope: 'write' },
  {
    method: 'delete',
    path: '/segments/{id}',
    tags,
    summary: 'Delete a segment',
    description: 'Refused while a campaign that is a draft, scheduled, sending or paused names it.',
    request: { params: idParams },
    responses: { 204: { description: 'Deleted' } },
  },
)

export const count = operation(
  { scope: 'read' },
  {
    method: 'get',
    path: '/segments/{id}/count',
    tags,
    summary: 'Count who is in a segment',
    description: SLOW,
    request: { params: idParams },
    responses: { 200: answers('How many there are now', segmentCount) },
  },
)

export const people = operation(
  { scope: 'read' },
  {
    method: 'get',
    path: '/segments/{id}/subscribers',
    tags,
    summary: 'List who is in a segment',
    description: SLOW,
    request: { params: idParams, query: peopleQuery },
    responses: { 200: answers('A page, by id', pageOf(subscriber)) },
  },
)

export const countUnsaved = operation(
  { scope: 'read', idempotency: 'needless' },
  {
    method: 'post',
    path: '/segments/count',
    tags,
    summary: 'Count whom a filter finds, without saving it',
    description: SLOW,
    request: { body: body(unsavedFilter) },
    responses: { 200: answers('How many there are now', segmentCount) },
  },
)

export const preview = operation(
  { scope: 'read', idempotency: 'needless' },
  {
    method: 'post',
    path: '/segments/preview',
    tags,
    summary: 'List whom a filter finds, without saving it',
    description: SLOW,
    request: { body: body(unsavedPage) },
    responses: { 200: answers('A page, by id', pageOf(subscriber)) },
  },
)
