import { operation } from '../http/route.ts'
import { idParams, pageOf } from '../http/schema.ts'
import { historyEntry, historyQuery } from './history-schema.ts'
import {
  bulkUpsert,
  newSubscriber,
  resubscription,
  rowAnswers,
  subscriber,
  subscriberChange,
  subscriberQuery,
  subscriberWithLists,
  tagging,
  writtenSubscriber,
} from './schema.ts'

/** Bytes of a bulk call: a thousand rows of ordinary length, several times over. */
const BULK_BODY_LIMIT = 4_000_000

const tags = ['Subscribers']
const written = { content: { 'application/json': { schema: writtenSubscriber } } }

export const create = operation(
  { scope: 'write' },
  {
    method: 'post',
    path: '/subscribers',
    tags,
    summary: 'Create a subscriber',
    description:
      'A known address is refused (409). An address that was deleted before needs `resubscribe` with consent.',
    request: { body: { required: true, content: { 'application/json': { schema: newSubscriber } } } },
    responses: { 201: { description: 'Created', ...written } },
  },
)

export const upsert = operation(
  { scope: 'write', body_limit: BULK_BODY_LIMIT },
  {
    method: 'post',
    path: '/subscribers/bulk',
    tags,
    summary: 'Create or change up to 1,000 subscribers',
    description:
      'Found by address, without regard to case. One answer per row, in order; a refused row does not hold up the others. Absent fields stay, null empties, attributes are merged. A status only gets worse: whoever opted out, bounced or complained stays so (`kept`), unless the row carries `resubscribe`. Rows that name the same address take effect one after the other. At most 4 MB.',
    request: { body: { required: true, content: { 'application/json': { schema: bulkUpsert } } } },
    responses: { 200: { description: 'One answer per row', content: { 'application/json': { schema: rowAnswers } } } },
  },
)

export const list = operation(
  { scope: 'read' },
  {
    method: 'get',
    path: '/subscribers',
    tags,
    summary: 'List subscribers',
    request: { query: subscriberQuery },
    responses: { 200: { description: 'A page', content: { 'application/json': { schema: pageOf(subscriber) } } } },
  },
)

export const get = operation(
  { scope: 'read' },
  {
    method: 'get',
    path: '/subscribers/{id}',
    tags,
    summary: 'Get a subscriber with their lists',
    request: { params: idParams },
    responses: {
      200: { description: 'The subscriber', content: { 'application/json': { schema: subscriberWithLists } } },
    },
  },
)

export const update = operation(
  { scope: 'write' },
  {
    method: 'patch',
    path: '/subscribers/{id}',
    tags,
    summary: 'Change a subscriber',
    description:
      'A status only gets worse here; see `resubscribe`. When the address changes of someone who opted out anywhere, the old address is suppressed.',
    request: {
      params: idParams,
      body: { required: true, content: { 'application/json': { schema: subscriberChange } } },
    },
    responses: { 200: { description: 'Changed', ...written } },
  },
)

export const resubscribe = operation(
  { scope: 'write' },
  {
    method: 'post',
    path: '/subscribers/{id}/resubscribe',
    tags,
    summary: 'Make someone active again who agreed anew',
    description:
      'The only way back after an opt-out, bounce or complaint. The consent must be newer than that and is recorded. Lists the person left are rejoined only where `list_ids` names them.',
    request: {
      params: idParams,
      body: { required: true, content: { 'application/json': { schema: resubscription } } },
    },
    responses: { 200: { description: 'Active again', ...written } },
  },
)

export const remove = operation(
  { scope: 'write' },
  {
    method: 'delete',
    path: '/subscribers/{id}',
    tags,
    summary: 'Delete a subscriber',
    description:
      'Memberships and consents go too. A keyed hash of the address stays, so that importing an old file does not bring the person back; the sums of sent campaigns stay as they are.',
    request: { params: idParams },
    responses: { 204: { description: 'Deleted' } },
  },
)

export const tag = operation(
  { scope: 'write' },
  {
    method: 'post',
    path: '/subscribers/tags',
    tags,
    summary: 'Add and remove tags of up to 1,000 subscribers',
    description: 'One answer per id, in order.',
    request: { body: { required: true, content: { 'application/json': { schema: tagging } } } },
    responses: { 200: { description: 'One answer per id', content: { 'application/json': { schema: rowAnswers } } } },
  },
)

export const history = operation(
  { scope: 'read' },
  {
    method: 'get',
    path: '/subscribers/{id}/history',
    tags,
    summary: 'All that happened to a subscriber',
    description:
      'Newest first: consents with their proof, lists, mails and what became of them, opens and clicks, sign-ups, and mails sent to them alone. Single opens and clicks are kept for EVENT_RETENTION_DAYS, the first of each mail for good.',
    request: { params: idParams, query: historyQuery },
    responses: { 200: { description: 'A page', content: { 'application/json': { schema: pageOf(historyEntry) } } } },
  },
)
