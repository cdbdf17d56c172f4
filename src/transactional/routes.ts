import { notFound } from '../http/problem.ts'
import { createRouter, operation } from '../http/route.ts'
import { idParams } from '../http/schema.ts'
import type { Services } from '../http/services.ts'
import { testSend, testSendRequest } from './schema.ts'
import { findTestSend } from './store.ts'
import { sendTest } from './test-send.ts'

const tags = ['Campaigns']
const content = { 'application/json': { schema: testSend } }

const send = operation(
  { scope: 'send' },
  {
    method: 'post',
    path: '/campaigns/{id}/test',
    tags,
    summary: 'Send a test to up to 10 addresses',
    description:
      'The mail as it is now, through the account that the campaign uses, past any campaign under way. Its subject begins with `[Test]`, its header `X-EMK-Test` names the campaign. It counts in no statistics: its links redirect and record nothing, its unsubscribe link unsubscribes nobody, and until the campaign has started its web view shows nothing. Suppressed, unsubscribed and bounced addresses, and those outside RECIPIENT_ALLOWLIST, are skipped with the reason. What became of each mail, with the answer of the sending service, is read by `GET /test-sends/{id}` for 30 days.',
    request: {
      params: idParams,
      body: { required: true, content: { 'application/json': { schema: testSendRequest } } },
    },
    responses: { 202: { description: 'On its way', content } },
  },
)

const get = operation(
  { scope: 'read' },
  {
    method: 'get',
    path: '/test-sends/{id}',
    tags,
    summary: 'What became of a test',
    request: { params: idParams },
    responses: { 200: { description: 'The test, mail by mail', content } },
  },
)

export function testSendRoutes(services: Services) {
  const router = createRouter()
  const read = async (id: number) => {
    const found = await findTestSend(services.db, id)
    if (!found) throw notFound('test send', id)
    return found
  }

  router.openapi(send, async (c) => {
    const id = await sendTest(services, c.req.valid('param').id, c.req.valid('json'))
    return c.json(await read(id), 202)
  })

  router.openapi(get, async (c) => c.json(await read(c.req.valid('param').id), 200))

  return router
}
