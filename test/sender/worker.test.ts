// emk-sender as the queue calls it: a pointer in, mails out by each kind of account, outcomes in the ledger.
import { createExecutionContext, createMessageBatch, getQueueResult } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest'
import type { BatchPointer } from '../../src/dispatch/message.ts'
import { freezePage } from '../../src/ledger/freeze.ts'
import { NOBODY } from '../../src/tokens/nobody.ts'
import type { TransactionalPointer } from '../../src/transactional/message.ts'
import { findTestSend, insertSend } from '../../src/transactional/store.ts'
import standard from '../../workers/sender.ts'
import { seedCampaign } from '../support/campaign.ts'
import { openTestWorker, type TestWorker } from '../support/worker.ts'
import { type Faults, startFaults } from './smtp/faults.ts'

const SES_KEY = 'AKIDEXAMPLE'
const SES_SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'
const SENDGRID_KEY = 'SG.test.key'

let t: TestWorker
let smtp: Faults
beforeAll(async () => {
  smtp = await startFaults({ pipelining: true })
  const ses = {
    kind: 'ses',
    region: 'eu-west-1',
    access_key_id: SES_KEY,
    secret_access_key: SES_SECRET,
    endpoint: inject('ses'),
  }
  const ACCOUNTS = JSON.stringify([
    { name: 'relay', kind: 'smtp', host: 'localhost', port: smtp.port, tls: 'none' },
    { name: 'aws', ...ses },
    // Left alone for a while once it has refused us.
    { name: 'aws_paused', ...ses },
    { name: 'sg', kind: 'sendgrid', api_key: SENDGRID_KEY, endpoint: inject('sendgrid') },
  ])
  t = await openTestWorker({ ACCOUNTS })
})
afterAll(() => t.close())

async function queue(pointers: BatchPointer[], worker = standard, settings: Partial<SenderEnv> = {}) {
  const messages = pointers.map((body, i) => ({ id: String(i), timestamp: new Date(), attempts: 1, body }))
  const batch = createMessageBatch<BatchPointer>('emk-sends', messages)
  const ctx = createExecutionContext()
  await worker.queue(batch, { ...env, ...settings } as SenderEnv)
  return getQueueResult(batch, ctx)
}

/** A Worker that reads its environment anew. Its Durable Object is invalid from then on: these tests come last. */
async function queueWith(settings: Partial<SenderEnv>, pointers: BatchPointer[]) {
  vi.resetModules()
  const { default: worker } = await import('../../workers/sender.ts')
  return queue(pointers, worker, settings)
}

/** A frozen campaign whose recipients' local parts choose what the server does to them. */
async function campaign(local_parts: string[], account: string | null = null) {
  const seeded = await seedCampaign(t, local_parts.length, {
    email: (i, key) => `${local_parts[i]}+${key}${i}@example.com`,
  })
  const { campaign_id } = seeded
  await t.sql(`update campaigns set snapshot = jsonb_set(snapshot, '{sender,account}', $2::jsonb) where id = $1`, [
    campaign_id,
    JSON.stringify(account),
  ])
  await freezePage(t.db, campaign_id, 0, { include: [seeded.list_id], exclude: [], where: {}, sample: null })
  return campaign_id
}

async function ledger(campaign_id: number) {
  const rows = await t.sql<{ fault: string; state: string; reason: string | null; account: string }>(
    `select split_part(s.email, '+', 1) as fault, d.state, d.reason, d.account from deliveries d
     join subscribers s on s.id = d.subscriber_id where d.campaign_id = $1 order by d.subscriber_id`,
    [campaign_id],
  )
  return rows.map(({ fault, state, reason }) => [fault, state, reason].filter(Boolean).join(' '))
}

const statusOf = async (id: number) =>
  (await t.sql('select status, status_reason from campaigns where id = $1', [id]))[0]

test('SMTP: each answer of the server ends in its own state, and the pointer comes back for those that wait', async () => {
  const id = await campaign(['ok', 'g450', 'u550', 'ok', 'dot451', 'dot550', 'ok'])
  const result = await queue([{ campaign_id: id, batch: 0 }])
  expect(await ledger(id)).toEqual([
    'ok sent',
    'g450 deferred try_again',
    'u550 failed no_such_address',
    'ok sent',
    'dot451 deferred try_again',
    'dot550 failed blocked',
    'ok sent',
  ])
  expect(result.retryMessages.map(({ msgId }) => msgId)).toEqual(['0'])
  expect((await statusOf(id))?.status).toBe('sending')
})

test('SMTP: a connection that breaks after the dot leaves one row unconfirmed and the rest as they were', async () => {
  const id = await campaign(['ok', 'dotdrop', 'ok', 'ok'])
  await queue([{ campaign_id: id, batch: 0 }])
  expect(await ledger(id)).toEqual(['ok sent', 'dotdrop unconfirmed no_answer', 'ok pending', 'ok pending'])
})

test('SES: accepted, throttled, refused and unanswered', async () => {
  const id = await campaign(['ok', 'throttle', 'rejected', 'fail500', 'ok'], 'aws')
  await queue([{ campaign_id: id, batch: 0 }])
  expect(await ledger(id)).toEqual([
    'ok sent',
    'throttle deferred try_again',
    'rejected failed blocked',
    'fail500 unconfirmed no_answer',
    'ok sent',
  ])
  const [row] = await t.sql('select account, provider_message_id from deliveries where campaign_id = $1 limit 1', [id])
  expect(row).toEqual({ account: 'aws', provider_message_id: expect.stringMatching(/.+/) })
})

test('SES: an account that is paused pauses the campaign, and nobody is blamed', async () => {
  const id = await campaign(['paused', 'paused'], 'aws_paused')
  const result = await queue([{ campaign_id: id, batch: 0 }])
  expect(await ledger(id)).toEqual(['paused pending', 'paused pending'])
  expect(await statusOf(id)).toEqual({ status: 'paused', status_reason: expect.stringContaining('Account aws_paused') })
  expect([...result.explicitAcks, ...result.retryMessages.map(({ msgId }) => msgId)]).toEqual(['0'])
})

test('SendGrid: accepted, refused and unanswered', async () => {
  const id = await campaign(['ok', 'bad', 'fail502', 'ok'], 'sg')
  await queue([{ campaign_id: id, batch: 0 }])
  expect(await ledger(id)).toEqual(['ok sent', 'bad failed refused', 'fail502 unconfirmed no_answer', 'ok sent'])
})

test('mails that cannot be rendered: two of a hundred pause the campaign, and those on the wire are recorded', async () => {
  const id = await campaign(Array.from({ length: 100 }, () => 'ok'))
  await t.sql(
    `update subscribers set attributes = $2::jsonb where id in
     (select subscriber_id from deliveries where campaign_id = $1 order by subscriber_id offset 25 limit 2)`,
    [id, `${'{"a":'.repeat(40)}1${'}'.repeat(40)}`],
  )
  await queue([{ campaign_id: id, batch: 0 }])
  const states = Object.groupBy(await ledger(id), (row) => row)
  expect(Object.fromEntries(Object.entries(states).map(([state, rows]) => [state, rows?.length]))).toEqual({
    'ok sent': 20,
    'ok failed not_rendered': 2,
    'ok pending': 78,
  })
  expect(await statusOf(id)).toEqual({
    status: 'paused',
    status_reason: expect.stringMatching(/^2 of the 100 mails of a batch could not be rendered.*duplicate it/),
  })
})

describe('single mails', () => {
  async function send(account: string, local_parts: string[]) {
    const key = crypto.randomUUID().slice(0, 8)
    return insertSend(
      t.db,
      {
        purpose: 'test',
        campaign_id: 7,
        warnings: [],
        content: {
          campaign_id: 7,
          subscriber_id: NOBODY,
          from: { email: 'news@acme.example', name: 'Acme' },
          reply_to: null,
          subject: `[Test] ${key}`,
          html: '<p>Hello</p>',
          text: 'Hello',
          headers: [['X-EMK-Test', 'campaign-7']],
          envelope_from: 'news@acme.example',
          account,
        },
      },
      local_parts.map((local, i) => ({ email: `${local}+${key}${i}@example.com`, hash: '', reason: null })),
    )
  }
  async function deliver(mail_ids: number[], name = 'emk-transactional') {
    const messages = mail_ids.map((mail_id, i) => ({
      id: String(i),
      timestamp: new Date(),
      attempts: 1,
      body: { mail_id },
    }))
    const batch = createMessageBatch<TransactionalPointer>(name, messages)
    const ctx = createExecutionContext()
    await standard.queue(batch, env as unknown as SenderEnv)
    return getQueueResult(batch, ctx)
  }
  const states = async (id: number) =>
    (await findTestSend(t.db, id))?.mails.map(({ state, reason }) => [state, reason].filter(Boolean).join(' '))

  test('by SMTP, SES and SendGrid: each answer has its state, and a repeated pointer sends nothing', async () => {
    const smtp_send = await send('relay', ['ok', 'u550', 'g450', 'dotdrop'])
    const ses_send = await send('aws', ['ok', 'rejected', 'throttle'])
    const sg_send = await send('sg', ['ok', 'bad', 'fail502'])
    const ids = [...smtp_send.queued, ...ses_send.queued, ...sg_send.queued]
    const result = await deliver(ids)
    expect(await states(smtp_send.id)).toEqual([
      'sent',
      'failed no_such_address',
      'queued try_again',
      'unconfirmed no_answer',
    ])
    expect(await states(ses_send.id)).toEqual(['sent', 'failed blocked', 'queued try_again'])
    expect(await states(sg_send.id)).toEqual(['sent', 'failed refused', 'unconfirmed no_answer'])
    expect(result.retryMessages.map(({ msgId }) => msgId)).toEqual(['2', '6'])
    const mails = async () => (await smtp.sessions()).flatMap((session) => session.messages).length
    const before = await mails()
    await deliver(ids)
    expect(await mails()).toBe(before)
  })

  test('pointers that were tried too often are taken, and change nothing', async () => {
    const { id, queued } = await send('relay', ['ok'])
    expect((await deliver(queued, 'emk-transactional-dead')).explicitAcks).toEqual(['0'])
    expect(await states(id)).toEqual(['queued'])
  })
})

test('four pointers of one invocation, and one of them twice: everyone gets one mail', async () => {
  const ids = await Promise.all([1, 2, 3].map(() => campaign(Array.from({ length: 30 }, () => 'ok'))))
  const before = (await smtp.sessions()).flatMap((session) => session.messages).length
  const [first = 0] = ids
  const pointers = [...ids, first].map((campaign_id) => ({ campaign_id, batch: 0 }))
  const result = await queue(pointers)
  expect(result.explicitAcks.sort()).toEqual(['0', '1', '2', '3'])
  for (const id of ids) expect(await statusOf(id)).toEqual({ status: 'sent', status_reason: null })
  expect((await smtp.sessions()).flatMap((session) => session.messages).length - before).toBe(90)
})

test('an account that nobody configured pauses the campaign and says so', async () => {
  const id = await campaign(['ok'], 'elsewhere')
  await queue([{ campaign_id: id, batch: 0 }])
  expect(await statusOf(id)).toEqual({
    status: 'paused',
    status_reason: expect.stringContaining('No sending account named "elsewhere" may send from acme.example'),
  })
})

test('a pointer to nothing, and an empty batch, are taken and forgotten', async () => {
  expect((await queue([{ campaign_id: 987654, batch: 0 }])).explicitAcks).toEqual(['0'])
  expect((await queue([])).explicitAcks).toEqual([])
})

describe('what must not go out', () => {
  test('nothing with development keys in production; the pointers wait', async () => {
    const id = await campaign(['ok'])
    const result = await queueWith({ ENVIRONMENT: 'production' }, [{ campaign_id: id, batch: 0 }])
    expect(result.retryBatch.retry || result.retryMessages.length > 0).toBe(true)
    expect(await ledger(id)).toEqual(['ok pending'])
  })

  test('nothing with accounts that cannot be read', async () => {
    const id = await campaign(['ok'])
    await queueWith({ ACCOUNTS: '[{"name":"x"}]' }, [{ campaign_id: id, batch: 0 }])
    expect(await ledger(id)).toEqual(['ok pending'])
  })

  test('nothing while SENDING is off', async () => {
    const id = await campaign(['ok'])
    const result = await queueWith({ SENDING: 'off' }, [{ campaign_id: id, batch: 0 }])
    expect(result.explicitAcks).toEqual(['0'])
    expect(await ledger(id)).toEqual(['ok pending'])
  })
})
