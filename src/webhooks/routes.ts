import * as z from 'zod'
import { after, page } from '../http/cursor.ts'
import { invalidField, notFound, Problem } from '../http/problem.ts'
import { createRouter, operation } from '../http/route.ts'
import { idParams, pageOf, pageQuery } from '../http/schema.ts'
import type { Services } from '../http/services.ts'
import { log } from '../log.ts'
import { claimTest } from './claim.ts'
import { courierOf, deliver } from './deliver.ts'
import { MOST_ENDPOINTS, TEST_EVENT } from './events.ts'
import { refusedByDns, refusedUrl } from './guard.ts'
import { findMessage, listMessages, replayFailed, replayMessage } from './messages.ts'
import {
  createdEndpoint,
  endpoint,
  endpointChange,
  message,
  messageParams,
  messageQuery,
  messageWithTries,
  newEndpoint,
  replayed,
  replayRequest,
  rotatedSecret,
  testResult,
} from './schema.ts'
import { newSecret } from './sign.ts'
import { deleteEndpoint, findEndpoint, insertEndpoint, listEndpoints, rotateSecret, updateEndpoint } from './store.ts'
import { noteEndpoints } from './wake.ts'

const tags = ['Webhooks']
/** What one call may take to have failed messages sent again, in ms. */
const REPLAY_BUDGET = 15_000

const json = <T extends z.ZodType>(schema: T) => ({ 'application/json': { schema } })

const create = operation(
  { scope: 'admin', idempotency: 'refused' },
  {
    method: 'post',
    path: '/webhooks',
    tags,
    summary: 'Create a webhook',
    description: `At most ${MOST_ENDPOINTS}. The answer is the only time its secret is shown. Messages follow Standard Webhooks.`,
    request: { body: { required: true, content: json(newEndpoint) } },
    responses: { 201: { description: 'Created', content: json(createdEndpoint) } },
  },
)

const list = operation(
  { scope: 'read' },
  {
    method: 'get',
    path: '/webhooks',
    tags,
    summary: 'List webhooks',
    request: { query: z.strictObject(pageQuery) },
    responses: { 200: { description: 'A page', content: json(pageOf(endpoint)) } },
  },
)

const get = operation(
  { scope: 'read' },
  {
    method: 'get',
    path: '/webhooks/{id}',
    tags,
    summary: 'Get a webhook',
    request: { params: idParams },
    responses: { 200: { description: 'The webhook', content: json(endpoint) } },
  },
)

const update = operation(
  { scope: 'admin' },
  {
    method: 'patch',
    path: '/webhooks/{id}',
    tags,
    summary: 'Change, enable or disable a webhook',
    description: 'While it is disabled nothing is written down for it. What waited goes out once it is enabled again.',
    request: { params: idParams, body: { required: true, content: json(endpointChange) } },
    responses: { 200: { description: 'Changed', content: json(endpoint) } },
  },
)

const remove = operation(
  { scope: 'admin' },
  {
    method: 'delete',
    path: '/webhooks/{id}',
    tags,
    summary: 'Delete a webhook with its messages',
    request: { params: idParams },
    responses: { 204: { description: 'Deleted' } },
  },
)

const rotate = operation(
  { scope: 'admin', idempotency: 'refused' },
  {
    method: 'post',
    path: '/webhooks/{id}/rotate-secret',
    tags,
    summary: 'Give a webhook a new secret',
    description: 'For 24 hours the one before signs too: every message then carries both signatures.',
    request: { params: idParams },
    responses: { 200: { description: 'The new secret, shown only now', content: json(rotatedSecret) } },
  },
)

const sendTest = operation(
  { scope: 'admin' },
  {
    method: 'post',
    path: '/webhooks/{id}/test',
    tags,
    summary: 'Send a test event now',
    description: 'A message of type `webhook.test`, tried once, also while the webhook is disabled.',
    request: { params: idParams },
    responses: { 200: { description: 'What happened', content: json(testResult) } },
  },
)

const messages = operation(
  { scope: 'read' },
  {
    method: 'get',
    path: '/webhooks/{id}/messages',
    tags,
    summary: "List a webhook's messages, the newest first",
    description: 'They are kept for 30 days.',
    request: { params: idParams, query: messageQuery },
    responses: { 200: { description: 'A page', content: json(pageOf(message)) } },
  },
)

const getMessage = operation(
  { scope: 'read' },
  {
    method: 'get',
    path: '/webhooks/{id}/messages/{message_id}',
    tags,
    summary: 'Get a message with its tries',
    request: { params: messageParams },
    responses: { 200: { description: 'The message', content: json(messageWithTries) } },
  },
)

const replayOne = operation(
  { scope: 'admin' },
  {
    method: 'post',
    path: '/webhooks/{id}/messages/{message_id}/replay',
    tags,
    summary: 'Send a message again',
    description: 'Also one that was delivered. It has the same `webhook-id` as before.',
    request: { params: messageParams },
    responses: { 200: { description: 'It waits to be sent', content: json(messageWithTries) } },
  },
)

const replayMany = operation(
  { scope: 'admin' },
  {
    method: 'post',
    path: '/webhooks/{id}/replay',
    tags,
    summary: 'Send all failed messages since a time again',
    request: { params: idParams, body: { required: true, content: json(replayRequest) } },
    responses: { 200: { description: 'They wait to be sent', content: json(replayed) } },
  },
)

export function webhookRoutes(services: Services) {
  const { db, webhooks, public_url, tracking_url, now } = services
  const router = createRouter()

  const mustBePublic = async (url: string) => {
    const { development } = webhooks
    const refused =
      refusedUrl(url, { development, own_urls: [public_url, tracking_url] }) ??
      (await refusedByDns(url, webhooks.openResolver(), development))
    if (refused) throw invalidField('url', refused)
  }

  /** Without Redis the hour's sweep does it; what was written here stays written. */
  const note = () =>
    noteEndpoints(services).catch((error: unknown) => {
      log('webhooks_not_noted', { error: error instanceof Error ? error.name : 'unknown' })
    })

  const mustExist = async (id: number) => {
    const row = await findEndpoint(db, id)
    if (!row) throw notFound('webhook', id)
    return row
  }

  const mustBeEnabled = async (id: number) => {
    if (!(await mustExist(id)).enabled) throw new Problem('wrong_status', `Webhook ${id} is disabled. Enable it first.`)
  }

  router.openapi(create, async (c) => {
    const values = c.req.valid('json')
    await mustBePublic(values.url)
    const secret = newSecret(crypto.getRandomValues(new Uint8Array(32)))
    const row = await insertEndpoint(db, values, secret)
    if (!row) throw new Problem('in_use', `There are ${MOST_ENDPOINTS} webhooks, as many as there may be. Delete one.`)
    await note()
    return c.json({ ...row, secret }, 201)
  })

  router.openapi(list, async (c) => {
    const { limit, cursor } = c.req.valid('query')
    const [after_id] = after(cursor, { of: 'webhooks' }, ['number']) ?? [null]
    const rows = await listEndpoints(db, after_id, limit)
    return c.json(
      page(rows, limit, { of: 'webhooks' }, ({ id }) => [id]),
      200,
    )
  })

  router.openapi(get, async (c) => c.json(await mustExist(c.req.valid('param').id), 200))

  router.openapi(update, async (c) => {
    const { id } = c.req.valid('param')
    const changes = c.req.valid('json')
    if (changes.url !== undefined) await mustBePublic(changes.url)
    const row = await updateEndpoint(db, id, changes)
    if (!row) throw notFound('webhook', id)
    if (changes.enabled !== undefined) await note()
    return c.json(row, 200)
  })

  router.openapi(remove, async (c) => {
    const { id } = c.req.valid('param')
    if (!(await deleteEndpoint(db, id))) throw notFound('webhook', id)
    await note()
    return c.body(null, 204)
  })

  router.openapi(rotate, async (c) => {
    const { id } = c.req.valid('param')
    const secret = newSecret(crypto.getRandomValues(new Uint8Array(32)))
    if (!(await rotateSecret(db, id, secret))) throw notFound('webhook', id)
    return c.json({ secret }, 200)
  })

  router.openapi(sendTest, async (c) => {
    const { id } = c.req.valid('param')
    const trial = await claimTest(db, id, TEST_EVENT)
    if (!trial) throw notFound('webhook', id)
    const { result, response_status, response, duration_ms } = await deliver(services, courierOf(services), trial, true)
    const { message_id } = trial
    return c.json({ message_id, delivered: result === 'delivered', response_status, response, duration_ms }, 200)
  })

  router.openapi(messages, async (c) => {
    const { id } = c.req.valid('param')
    const filters = c.req.valid('query')
    const scope = { ...filters, of: 'webhook_messages', id }
    const [before_id] = after(filters.cursor, scope, ['number']) ?? [null]
    await mustExist(id)
    const rows = await listMessages(db, id, filters, before_id, filters.limit)
    return c.json(
      page(rows, filters.limit, scope, (row) => [row.id]),
      200,
    )
  })

  router.openapi(getMessage, async (c) => {
    const { id, message_id } = c.req.valid('param')
    const row = await findMessage(db, id, message_id)
    if (!row) throw notFound(`message of webhook ${id},`, message_id)
    return c.json(row, 200)
  })

  router.openapi(replayOne, async (c) => {
    const { id, message_id } = c.req.valid('param')
    await mustBeEnabled(id)
    const changed = await replayMessage(db, id, message_id)
    const row = await findMessage(db, id, message_id)
    if (!row) throw notFound(`message of webhook ${id},`, message_id)
    if (!changed) throw new Problem('wrong_status', `Message ${message_id} waits to be sent as it is.`)
    return c.json(row, 200)
  })

  router.openapi(replayMany, async (c) => {
    const { id } = c.req.valid('param')
    await mustBeEnabled(id)
    const { since } = c.req.valid('json')
    return c.json(await replayFailed(db, id, since, now().getTime() + REPLAY_BUDGET, now), 200)
  })

  return router
}
