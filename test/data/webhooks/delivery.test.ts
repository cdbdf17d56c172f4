import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { connectDatabase } from '../../../src/db/client.ts'
import { deleteSubscriber } from '../../../src/subscribers/delete.ts'
import { tryMessage } from '../../../src/webhooks/attempt.ts'
import { claimMessages, giveBack } from '../../../src/webhooks/claim.ts'
import { consumeWebhooks } from '../../../src/webhooks/consume.ts'
import { dispatchMessages } from '../../../src/webhooks/dispatch.ts'
import type { WebhookPointer } from '../../../src/webhooks/message.ts'
import { replayFailed, replayMessage } from '../../../src/webhooks/messages.ts'
import { recordTry } from '../../../src/webhooks/record.ts'
import { newSecret } from '../../../src/webhooks/sign.ts'
import { rotateSecret } from '../../../src/webhooks/store.ts'
import { openTestDatabase, type TestDatabase } from '../../support/database.ts'
import { ok, type Receiver, startReceiver } from '../../support/receiver.ts'
import { openTestRedis, type TestRedis } from '../../support/redis.ts'
import { insertEndpoint, outgoing, resolverOf } from '../../support/webhooks.ts'

let t: TestDatabase
let r: TestRedis
let receiver: Receiver
beforeAll(async () => {
  t = await openTestDatabase()
  r = openTestRedis()
  receiver = await startReceiver()
})
afterAll(async () => {
  await receiver.stop()
  await r.close()
  await t.close()
})
beforeEach(async () => {
  await t.sql('delete from webhook_endpoints')
  await r.redis.del(r.keys.webhooks)
  receiver.taken.length = 0
  receiver.answer = ok
})

/** Whether each pointer was taken off the queue, or comes back. */
async function consume(services: ReturnType<typeof outgoing>['services'], pointers: readonly WebhookPointer[]) {
  const fates: string[] = []
  await consumeWebhooks(
    services,
    pointers.map((body) => ({ body, ack: () => fates.push('ack'), retry: () => fates.push('retry') })),
  )
  return fates
}

const pointersOf = (sent: readonly { body: WebhookPointer }[]) => sent.map(({ body }) => body)

async function someone(email = `${crypto.randomUUID()}@example.com`) {
  const [row] = await t.sql<{ id: string }>('insert into subscribers (email) values ($1) returning id', [email])
  return Number(row?.id)
}

/** An endpoint at the receiver that was told of one new subscriber, and what lies on the queue for it. */
async function oneMessage(path = '/hook') {
  const endpoint = await insertEndpoint(t, ['subscriber.created'], receiver.url + path)
  const email = `${crypto.randomUUID()}@example.com`
  const subscriber_id = await someone(email)
  const { services, sent } = outgoing(t, r)
  expect(await dispatchMessages(services, false)).toBe(1)
  return { endpoint, email, subscriber_id, services, sent }
}

const stateOf = async (endpoint_id: number) => {
  const [row] = await t.sql(
    `select m.status, m.attempts, m.in_flight, (m.due_at - now()) > interval '3 minutes' as waits,
       e.enabled, e.disabled_reason, e.failing_since is not null as failing
     from webhook_messages m join webhook_endpoints e on e.id = m.endpoint_id where e.id = $1`,
    [endpoint_id],
  )
  return row
}
const triesOf = (endpoint_id: number) =>
  t.sql<{ response_status: number | null; response: string }>(
    `select a.response_status, a.response from webhook_attempts a join webhook_messages m on m.id = a.message_id
     where m.endpoint_id = $1 order by a.id`,
    [endpoint_id],
  )

describe('a message', () => {
  test('arrives as Standard Webhooks asks, and an independent verifier accepts it', async () => {
    const { endpoint, email, subscriber_id, services, sent } = await oneMessage()
    expect(await consume(services, pointersOf(sent))).toEqual(['ack'])
    const [taken] = receiver.taken
    const body = new Webhook(endpoint.secret).verify(taken?.body ?? '', taken?.headers as Record<string, string>)
    expect(body).toEqual({
      type: 'subscriber.created',
      timestamp: expect.stringMatching(/^2\d{3}-\d\d-\d\dT.*Z$/),
      version: 1,
      data: { subscriber_id, email, status: 'active' },
    })
    expect(taken?.headers['content-type']).toBe('application/json')
    expect(taken?.headers['webhook-id']).toMatch(/^msg_\d+$/)
    expect(await stateOf(endpoint.id)).toMatchObject({ status: 'delivered', attempts: 1, in_flight: false })
    expect(await triesOf(endpoint.id)).toEqual([{ response_status: 200, response: 'thanks' }])
    const forged = () =>
      new Webhook(newSecret(new Uint8Array(32))).verify(taken?.body ?? '', taken?.headers as Record<string, string>)
    expect(forged).toThrow('No matching signature')
  })

  test('is signed by both secrets for a day after a rotation', async () => {
    const { endpoint, services, sent } = await oneMessage()
    const secret = newSecret(crypto.getRandomValues(new Uint8Array(32)))
    await rotateSecret(t.db, endpoint.id, secret)
    await consume(services, pointersOf(sent))
    await t.sql(`update webhook_endpoints set previous_until = now() - interval '1 second'`)
    await someone()
    const later = outgoing(t, r)
    await dispatchMessages(later.services, false)
    await consume(later.services, pointersOf(later.sent))
    const [both, one] = receiver.taken
    const verify = (key: string, taken = both) =>
      new Webhook(key).verify(taken?.body ?? '', taken?.headers as Record<string, string>)
    expect(verify(secret)).toBeTruthy()
    expect(verify(endpoint.secret)).toBeTruthy()
    expect(verify(secret, one)).toBeTruthy()
    expect(() => verify(endpoint.secret, one)).toThrow('No matching signature')
  })

  test('is tried by one of two that hold its pointer, and not again by a pointer that comes late', async () => {
    const { services, sent } = await oneMessage()
    const pointers = pointersOf(sent)
    await Promise.all([consume(services, pointers), consume(services, [...pointers, ...pointers])])
    await consume(services, pointers)
    expect(receiver.taken).toHaveLength(1)
  })

  test('belongs to whoever claimed it last: a pointer claims once, and what came of an earlier try is not written', async () => {
    const { endpoint, sent } = await oneMessage()
    const pointers = pointersOf(sent)
    const [first] = await claimMessages(t.db, pointers)
    expect(first).toMatchObject({ attempts: 1, type: 'subscriber.created' })
    expect(await claimMessages(t.db, pointers)).toEqual([])
    const [second] = await claimMessages(
      t.db,
      pointers.map((pointer) => ({ ...pointer, attempts: 1 })),
    )
    if (!first || !second) throw new Error('it was not claimed')
    const outcome = { result: 'later' as const, response_status: 500, response: '', duration_ms: 1 }
    expect(await recordTry(t.db, first, outcome, null)).toEqual({ recorded: false, disabled: null })
    await giveBack(t.db, [first], 0)
    expect(await stateOf(endpoint.id)).toMatchObject({
      status: 'pending',
      attempts: 2,
      in_flight: true,
      failing: false,
    })
    const delivered = { ...outcome, result: 'delivered' as const, response_status: 200 }
    expect(await recordTry(t.db, second, delivered, null)).toEqual({ recorded: true, disabled: null })
    expect(await recordTry(t.db, second, outcome, null)).toEqual({ recorded: false, disabled: null })
    expect(await stateOf(endpoint.id)).toMatchObject({ status: 'delivered', attempts: 2 })
  })

  test('carries the address as it is when it leaves, and keeps none', async () => {
    const { subscriber_id, services, sent, endpoint } = await oneMessage()
    await t.sql(`update subscribers set email = 'new-address@example.com' where id = $1`, [subscriber_id])
    const [row] = await t.sql('select payload from webhook_messages where endpoint_id = $1', [endpoint.id])
    expect(JSON.stringify(row)).not.toContain('@')
    await consume(services, pointersOf(sent))
    expect(JSON.parse(receiver.taken[0]?.body ?? '').data.email).toBe('new-address@example.com')
  })
})

test('of a person who is deleted while a message about them is on its way nothing stays', async () => {
  const { email, subscriber_id, services, sent } = await oneMessage()
  receiver.answer = async (_, response) => {
    await deleteSubscriber(t.db, 'hash key of this test, long enough', subscriber_id)
    response.end(`welcome ${email}`)
  }
  await consume(services, pointersOf(sent))
  expect(receiver.taken).toHaveLength(1)
  expect(await t.sql('select 1 from webhook_messages')).toEqual([])
  expect(await t.sql('select 1 from webhook_attempts')).toEqual([])
})

describe('a try that goes wrong', () => {
  test.each<[string, Receiver['answer'], number | null, RegExp]>([
    ['an error', (_, response) => void response.writeHead(500).end('<b>no</b>'), 500, /^<b>no<\/b>$/],
    [
      'a redirect, which is not followed',
      (_, response) => void response.writeHead(302, { location: '/elsewhere' }).end(),
      302,
      /^$/,
    ],
    ['a connection that is cut', (request) => void request.socket.destroy(), null, /^The connection failed\.$/],
    [
      'a megabyte with NUL and broken text, of which the beginning is kept',
      (_, response) =>
        void response.writeHead(400).end(Buffer.concat([Buffer.from([0x61, 0, 0xff]), Buffer.alloc(1_000_000, 0x78)])),
      400,
      /^a\uFFFD\uFFFDx{2045}$/,
    ],
  ])('%s: it is tried again in a few seconds', async (_, answer, response_status, response) => {
    receiver.answer = answer
    const { endpoint, services, sent } = await oneMessage()
    await consume(services, pointersOf(sent))
    expect(receiver.taken.map(({ path }) => path)).toEqual(['/hook'])
    expect(await stateOf(endpoint.id)).toMatchObject({ status: 'pending', attempts: 1, in_flight: true, failing: true })
    const [attempt] = await triesOf(endpoint.id)
    expect(attempt?.response_status).toBe(response_status)
    expect(attempt?.response).toMatch(response)
    expect(sent.at(-1)).toEqual({ body: { message_id: sent[0]?.body.message_id, attempts: 1 }, delaySeconds: 5 })

    // The second time it goes well, under the same id.
    receiver.answer = ok
    await consume(services, pointersOf(sent.slice(-1)))
    const [first, second] = receiver.taken
    expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id'])
    expect(await stateOf(endpoint.id)).toMatchObject({ status: 'delivered', attempts: 2, failing: false })
  })

  test('an answer whose end never comes is an answer; a receiver that says nothing has not given one', async () => {
    const trial = {
      ...{ message_id: 1, endpoint_id: 1, type: 'webhook.test', created_at: new Date().toISOString(), payload: {} },
      ...{ subscriber_id: null, email: null, url: receiver.url, secrets: [newSecret(new Uint8Array(32))], attempts: 1 },
    }
    const courier = { fetch, resolver: resolverOf({}), development: true, own_urls: [], now: () => new Date() }
    receiver.answer = (_, response) => void response.writeHead(200).write('so far')
    expect(await tryMessage(courier, trial, 300)).toMatchObject({ result: 'delivered', response: 'so far' })
    receiver.answer = () => undefined
    const silent = { result: 'later', response_status: null, response: 'No answer within 0.3 seconds.' }
    expect(await tryMessage(courier, trial, 300)).toMatchObject(silent)
  })

  test('waits longer each time, told to cron by Redis, and is given up after ten', async () => {
    receiver.answer = (_, response) => void response.writeHead(503, { 'retry-after': '7200' }).end()
    const { endpoint, services, sent } = await oneMessage()
    await consume(services, pointersOf(sent))
    expect(await stateOf(endpoint.id)).toMatchObject({ status: 'pending', attempts: 1, in_flight: false, waits: true })
    const [minute] = await r.redis.smembers(r.keys.webhooks)
    expect(Number(minute) * 60_000).toBeGreaterThan(Date.now() + 7_100_000)

    // Before its time nobody gets it, from its time on cron does.
    expect(await dispatchMessages(services, true)).toBe(0)
    await t.sql(`update webhook_messages set due_at = now(), attempts = 9`)
    expect(await dispatchMessages(services, false)).toBe(0)
    expect(await dispatchMessages(services, true)).toBe(1)
    await consume(services, pointersOf(sent.slice(-1)))
    expect(await stateOf(endpoint.id)).toMatchObject({
      status: 'failed',
      attempts: 10,
      in_flight: false,
      enabled: true,
    })
  })

  test('410 disables the endpoint; what waits for it stays until it is enabled again', async () => {
    receiver.answer = (_, response) => void response.writeHead(410).end()
    const { endpoint, services, sent } = await oneMessage()
    await someone()
    await dispatchMessages(services, false)
    await consume(services, pointersOf(sent).slice(0, 1))
    const [gone, waiting] = await t.sql('select status, attempts from webhook_messages order by id')
    expect([gone, waiting]).toEqual([
      { status: 'failed', attempts: 1 },
      { status: 'pending', attempts: 0 },
    ])
    const [row] = await t.sql('select enabled, disabled_reason from webhook_endpoints where id = $1', [endpoint.id])
    expect(row).toEqual({ enabled: false, disabled_reason: 'It answered that it is gone for good (HTTP 410).' })
    await consume(services, pointersOf(sent).slice(1))
    expect(receiver.taken).toHaveLength(1)
  })

  test('after five days without success the endpoint is disabled, by a message that was tried often', async () => {
    receiver.answer = (_, response) => void response.writeHead(500).end()
    const { endpoint, services, sent } = await oneMessage()
    await t.sql(`update webhook_endpoints set failing_since = now() - interval '6 days'`)
    await consume(services, pointersOf(sent))
    expect(await stateOf(endpoint.id)).toMatchObject({ enabled: true })
    await t.sql('update webhook_messages set attempts = 3, due_at = now()')
    await dispatchMessages(services, true)
    await consume(services, pointersOf(sent.slice(-1)))
    expect(await stateOf(endpoint.id)).toMatchObject({
      ...{ status: 'pending', attempts: 4, enabled: false },
      disabled_reason: 'Every try has failed for 5 days, lately with: HTTP 500',
    })
  })

  test('an address that has come to lead to a private one is not called', async () => {
    const endpoint = await insertEndpoint(t, ['subscriber.created'], 'https://hooks.acme-shop.com/')
    await someone()
    const { services, sent } = outgoing(t, r)
    services.webhooks.openResolver = () => resolverOf({ 'hooks.acme-shop.com': ['93.184.215.14', '10.0.0.8'] })
    services.webhooks.fetch = () => Promise.reject(new Error('it was called'))
    await dispatchMessages(services, false)
    await consume(services, pointersOf(sent))
    const why = 'Not sent: the address must name a host on the internet; this name leads to a private address.'
    expect(await triesOf(endpoint.id)).toEqual([{ response_status: null, response: why }])
  })

  test('pointers come back while Postgres does not answer', async () => {
    const { services, sent } = await oneMessage()
    const gone = connectDatabase(t.url.replace(/\/t_\w+$/, '/no_such_database'), t.proxy)
    expect(await consume({ ...services, db: gone }, pointersOf(sent))).toEqual(['retry'])
    expect(await consume(services, pointersOf(sent))).toEqual(['ack'])
    expect(receiver.taken).toHaveLength(1)
  })
})

describe('the queue', () => {
  test('holds so many messages of an endpoint, ten while it fails, and is filled again as they go', async () => {
    const endpoint = await insertEndpoint(t, ['subscriber.created'], receiver.url)
    await t.sql(
      `insert into subscribers (email) select gen_random_uuid() || '@example.com' from generate_series(1, 250)`,
    )
    const { services, sent } = outgoing(t, r)
    const [one, two] = await Promise.all([dispatchMessages(services, false), dispatchMessages(services, false)])
    expect(one + two).toBeGreaterThanOrEqual(200)
    expect(new Set(sent.map(({ body }) => body.message_id)).size).toBe(sent.length)
    await t.sql(`update webhook_messages set in_flight = false, due_at = now()`)
    sent.length = 0
    expect(await dispatchMessages(services, false)).toBe(200)
    expect(await dispatchMessages(services, false)).toBe(0)
    const ids = sent.map(({ body }) => body.message_id)
    expect(ids).toEqual([...ids].sort((a, b) => a - b))
    await consume(services, pointersOf(sent.slice(0, 20)))
    expect(receiver.taken).toHaveLength(20)
    expect(sent).toHaveLength(220)

    await t.sql('update webhook_messages set in_flight = false, due_at = now() where in_flight')
    await t.sql('update webhook_endpoints set failing_since = now() where id = $1', [endpoint.id])
    expect(await dispatchMessages(services, false)).toBe(0)
    expect(await dispatchMessages(services, true)).toBe(10)
    expect(await dispatchMessages(services, true)).toBe(0)
  })

  test('spares an endpoint that gives no answer, and goes on with the others', async () => {
    const dead = await insertEndpoint(t, ['subscriber.created'], `${receiver.url}/dead`)
    await insertEndpoint(t, ['subscriber.created'], `${receiver.url}/alive`)
    receiver.answer = (request, response) => {
      if (request.url === '/dead') request.socket.destroy()
      else response.end()
    }
    await t.sql(
      `insert into subscribers (email) select gen_random_uuid() || '@example.com' from generate_series(1, 20)`,
    )
    const { services, sent } = outgoing(t, r)
    await dispatchMessages(services, false)
    await consume(services, pointersOf(sent))
    const of = (path: string) => receiver.taken.filter((taken) => taken.path === path).length
    expect(of('/alive')).toBe(20)
    // As many as were open at a time when the first of them failed.
    expect(of('/dead')).toBeLessThanOrEqual(5)
    const states = await t.sql(
      `select endpoint_id = $1 as dead, status, attempts, count(*)::int as n from webhook_messages
       group by 1, 2, 3 order by 1, 2, 3`,
      [dead.id],
    )
    expect(states).toEqual([
      { dead: false, status: 'delivered', attempts: 1, n: 20 },
      { dead: true, status: 'pending', attempts: 0, n: 20 - of('/dead') },
      { dead: true, status: 'pending', attempts: 1, n: of('/dead') },
    ])
    expect(await r.redis.smembers(r.keys.webhooks)).toHaveLength(1)
  })

  test('loses a pointer: the message is due again when its lease is over', async () => {
    const { services, sent } = await oneMessage()
    expect(await dispatchMessages(services, true)).toBe(0)
    await t.sql(`update webhook_messages set due_at = now() - interval '1 second'`)
    expect(await dispatchMessages(services, false)).toBe(1)
    await consume(services, pointersOf(sent))
    expect(receiver.taken).toHaveLength(1)
  })
})

test('what failed is sent again on request: one message, or all since a time', async () => {
  const { endpoint, services, sent } = await oneMessage()
  const { message_id = 0 } = sent[0]?.body ?? {}
  expect(await replayMessage(t.db, endpoint.id, message_id)).toBe(false)
  await consume(services, pointersOf(sent))
  expect(await replayMessage(t.db, endpoint.id + 1, message_id)).toBe(false)
  expect(await replayMessage(t.db, endpoint.id, message_id)).toBe(true)
  expect(await dispatchMessages(services, false)).toBe(1)
  await consume(services, pointersOf(sent.slice(-1)))
  expect(new Set(receiver.taken.map(({ headers }) => headers['webhook-id']))).toEqual(new Set([`msg_${message_id}`]))
  expect(receiver.taken).toHaveLength(2)

  await someone()
  await someone()
  await t.sql(`update webhook_messages set status = 'failed', delivered_at = null, attempts = 10`)
  await t.sql(`update webhook_messages set created_at = now() - interval '2 days' where id = $1`, [message_id])
  const since = new Date(Date.now() - 86_400_000).toISOString()
  const now = () => new Date()
  const until = Date.now() + 10_000
  expect(await replayFailed(t.db, endpoint.id, since, until, now)).toEqual({ replayed: 2, complete: true })
  expect(await replayFailed(t.db, endpoint.id, since, until, now)).toEqual({ replayed: 0, complete: true })
  expect(await dispatchMessages(services, false)).toBe(2)
})
