import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { flushEvents } from '../../src/events/flush.ts'
import { exportPerson } from '../../src/exports/person.ts'
import { recordFeedback } from '../../src/feedback/record.ts'
import { holdImport } from '../../src/imports/lease.ts'
import { receivePart } from '../../src/imports/receive.ts'
import { listRefusals } from '../../src/imports/refusals.ts'
import { findImport, insertImport } from '../../src/imports/store.ts'
import { claimBatch } from '../../src/ledger/claim.ts'
import { recountCampaign } from '../../src/stats/recount.ts'
import { deleteSubscriber } from '../../src/subscribers/delete.ts'
import { hashEmail } from '../../src/subscribers/erasure.ts'
import type { SubscriberRow } from '../../src/subscribers/row.ts'
import { writeSubscribers } from '../../src/subscribers/write.ts'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'
import { HASH_KEY, leaveTraces, news, seen, tracesOf } from '../support/traces.ts'

let t: TestDatabase
beforeAll(async () => {
  t = await openTestDatabase()
})
afterAll(() => t.close())

const erase = (id: number) => deleteSubscriber(t.db, HASH_KEY, id)
const upsert = async (row: SubscriberRow) => (await writeSubscribers(t.db, HASH_KEY, 'upsert', [row]))[0]

/** Everything that counts something, of all campaigns. */
const sums = () =>
  Promise.all(
    [
      'select * from campaign_stats order by 1',
      'select * from campaign_hourly order by 1, 2, 3',
      'select * from campaign_breakdown order by 1, 2, 3',
      'select * from recipient_stats order by 1, 2',
      'select * from batches order by 1, 2',
      'select campaign_id, subscriber_id, batch, state, attempts, reason, sent_at from deliveries order by 1, 2',
      'select campaign_id, subscriber_id, delivered, soft_bounces, delivered_at from recipient_feedback order by 1, 2',
      'select event_id, kind, verdict, country, client, device from campaign_events order by 1',
      'select event_id, kind, matched from feedback_events order by 1',
      'select id, rows, refused from imports order by 1',
      'select import_id, line from import_refusals order by 1, 2',
    ].map((text) => t.sql(text)),
  )

test('leaves no trace but keyed hashes, changes no sum, and touches nobody else', async () => {
  const { mark, id, campaign_id, ...person } = await leaveTraces(t)
  const other = await leaveTraces(t)
  const before = { sums: await sums(), other: await exportPerson(t.db, other.id) }
  // That the search finds what there is.
  expect(await tracesOf(t, mark)).toEqual([
    'consents.source',
    'consents.wording',
    'deliveries.answer',
    'feedback_events.diagnostic',
    'feedback_events.raw',
    'feedback_events.recipient',
    'idempotency_keys.body',
    'import_refusals.reason',
    'import_refusals.record',
    'imports.sample',
    'list_members.consent_source',
    'recipient_feedback.diagnostic',
    'signups.attributes',
    'signups.email',
    'signups.first_name',
    'subscribers.attributes',
    'subscribers.email',
    'subscribers.first_name',
    'subscribers.last_name',
    'subscribers.tags',
    'suppressions.source',
    'suppressions.value',
    'transactional_mails.answer',
    'transactional_mails.email',
    'transactional_sends.content',
    'webhook_attempts.response',
  ])
  expect(await erase(id)).toBe(true)
  expect(await tracesOf(t, mark)).toEqual([])
  expect(await sums()).toEqual(before.sums)
  for (const one of [campaign_id, other.campaign_id]) expect(await recountCampaign(t.db, one, false)).toEqual([])
  const { exported_at: _, ...untouched } = before.other ?? {}
  expect(await exportPerson(t.db, other.id)).toMatchObject(untouched)
  const hashes = await Promise.all([person.email, person.former_email].map((address) => hashEmail(HASH_KEY, address)))
  const left = await t.sql(`select kind, value, reason, source from suppressions where value = any($1)`, [hashes])
  expect(left).toEqual(
    expect.arrayContaining([
      { kind: 'hash', value: hashes[0], reason: 'manual', source: 'subscriber deleted' },
      { kind: 'hash', value: hashes[1], reason: 'unsubscribe', source: 'subscriber deleted' },
    ]),
  )
  expect(await t.sql('select 1 from subscriber_activity where subscriber_id = $1', [id])).toEqual([])
  expect(await t.sql('select 1 from subscriber_days where subscriber_id = $1', [id])).toEqual([])
  expect(await t.sql('select 1 from campaign_events where subscriber_id = $1 and region is not null', [id])).toEqual([])
  const told = await t.sql('select type, payload from webhook_messages where subscriber_id = $1', [id])
  expect(told).toEqual(told.map(() => ({ type: 'subscriber.deleted', payload: { subscriber_id: id } })))
  expect(await t.sql('select sample from imports order by id limit 1')).toEqual([
    { sample: [{ email: 'somebody.else@example.com' }] },
  ])
  expect(await erase(id)).toBe(false)
})

describe('what comes after', () => {
  test('events and news of the person are counted, and leave no words', async () => {
    const { mark, id, email, campaign_id } = await leaveTraces(t)
    await erase(id)
    await flushEvents(t.db, [seen('open', campaign_id, id), seen('click', campaign_id, id)])
    await recordFeedback(t.db, [news('hard_bounce', campaign_id, id, email), news('complaint', campaign_id, id, email)])
    expect(await tracesOf(t, mark)).toEqual([])
    expect(
      await t.sql('select opens, clicks, hard_bounces, complaints from campaign_stats where campaign_id = $1', [
        campaign_id,
      ]),
    ).toEqual([{ opens: 4, clicks: 4, hard_bounces: 1, complaints: 1 }])
    expect(await recountCampaign(t.db, campaign_id, false)).toEqual([])
  })

  test.each([false, true])(
    'an old file does not bring back what was deleted, and is not kept (dry run: %s)',
    async (dry_run) => {
      const { mark, id, email } = await leaveTraces(t)
      await erase(id)
      const options = { policy: 'fill' as const, list_ids: [], tags: [], consent_source: null, mapping: {} }
      const import_id = await insertImport(t.db, {
        ...{ kind: 'subscribers', dry_run, file_name: 'old.csv', size: null },
        options: { ...options, encoding: null, delimiter: null },
      })
      const hold = { import_id, token: crypto.randomUUID() }
      const held = await holdImport(t.db, hold, 0)
      const file = new Blob([`email,first_name\n${email},First${mark}\nnew.${crypto.randomUUID()}@example.com,New\n`])
      await receivePart({ db: t.db, hash_key: HASH_KEY }, held, hold, file.stream() as ReadableStream<Uint8Array>, true)
      expect(await findImport(t.db, import_id)).toMatchObject({ rows: 2, created: 1, refused: 1 })
      expect(await listRefusals(t.db, import_id, 0, 10)).toEqual([
        { line: 2, reason: expect.stringContaining('was deleted'), record: '' },
      ])
      expect(await tracesOf(t, mark)).toEqual([])
    },
  )

  test('no address of theirs comes in again; with a new consent they do, and what was suppressed by hand stays so', async () => {
    const { id, email, former_email, list_id } = await leaveTraces(t)
    await erase(id)
    for (const address of [email, former_email.toUpperCase()]) {
      expect(await upsert({ email: address })).toMatchObject({ refusal: 'deleted_before' })
    }
    const consent = {
      resubscribe: true,
      consented_at: new Date().toISOString(),
      consent_source: 'form',
      list_ids: [list_id],
    }
    for (const address of [email, former_email]) {
      expect(await upsert({ email: address, ...consent })).toMatchObject({ outcome: 'created' })
    }
    expect(
      await t.sql(`select value, reason from suppressions where kind = 'address' and value = any($1)`, [
        [email.toLowerCase(), former_email.toLowerCase()],
      ]),
    ).toEqual([{ value: email.toLowerCase(), reason: 'manual' }])
  })
})

test('answers that quote them, and what was said of a file that begins with them, are forgotten', async () => {
  const email = 'quoted@kept.example'
  const { id } = (await upsert({ email })) ?? {}
  const other = `un${email}`
  const bodies = [
    { id: 9, kind: 'address', value: email, reason: 'manual' },
    {
      data: [
        { id: 8, email: other },
        { id, email },
      ],
      next_cursor: null,
    },
    { id: 7, mails: [{ id: 1, email, state: 'queued' }] },
    { data: [{ id: 8, email: other }], next_cursor: null },
  ]
  for (const [n, body] of bodies.entries()) {
    await t.sql(
      `insert into idempotency_keys (api_key_id, key, request_hash, status, body) values (1, $1, 'h', 201, $2::jsonb)`,
      [`quoting ${n}`, JSON.stringify(body)],
    )
  }
  const import_id = await insertImport(t.db, {
    ...{ kind: 'subscribers', dry_run: false, file_name: null, size: null },
    options: {
      ...{ policy: 'fill', list_ids: [], tags: [], consent_source: null },
      ...{ mapping: {}, encoding: null, delimiter: ',' },
    },
  })
  const hold = { import_id, token: crypto.randomUUID() }
  const file = new Blob([`${email},Ada\nsomebody@kept.example,Bob\n`]).stream()
  await receivePart({ db: t.db, hash_key: HASH_KEY }, await holdImport(t.db, hold, 0), hold, file, true).catch(() => {})
  expect(await tracesOf(t, email)).toEqual(['idempotency_keys.body', 'imports.error', 'subscribers.email'])
  expect(await erase(id ?? 0)).toBe(true)
  expect(await t.sql(`select key from idempotency_keys where key like 'quoting %'`)).toEqual([{ key: 'quoting 3' }])
  expect(await findImport(t.db, import_id)).toMatchObject({
    status: 'failed',
    error: expect.not.stringContaining(email),
  })
})

test('a refused row that spells their domain in its own letters is forgotten', async () => {
  const { id } = (await upsert({ email: 'ada@xn--bcher-kva.example' })) ?? {}
  const [file] = await t.sql<{ id: number }>(
    `insert into imports (options, rows, refused, status, finished_at) values ('{}', 5, 5, 'finished', now()) returning id::float8`,
  )
  const records = [
    'ADA@BÜCHER.example,Mars',
    'Ada,"ada@bücher.example"',
    'lada@bücher.example',
    'ada@other.example,Bücher',
    'bob@bücher.example',
  ]
  await t.sql(
    `insert into import_refusals (import_id, line, reason, record)
     select $1::bigint, n, 'r', record from unnest($2::text[]) with ordinality as r (record, n)`,
    [file?.id, records],
  )
  expect(await erase(id ?? 0)).toBe(true)
  expect((await listRefusals(t.db, file?.id ?? 0, 0, 9)).map(({ record }) => record)).toEqual([
    '',
    '',
    ...records.slice(2),
  ])
})

test('a former address that is suppressed and another subscriber’s by now stays suppressed', async () => {
  const first = await upsert({ email: 'first@moved.example', status: 'unsubscribed' })
  const id = first?.id ?? 0
  await writeSubscribers(t.db, HASH_KEY, 'update', [{ id, email: 'second@moved.example' }])
  // An old file brings the old address in again: it is not to be mailed.
  const again = await upsert({ email: 'first@moved.example' })
  expect(again).toMatchObject({ outcome: 'created' })
  await t.sql(
    `insert into signups (email, list_ids, wording, source, expires_at)
     values ('first@moved.example', '{1}', 'Yes', 'form', now() + interval '1 day')`,
  )
  // Nor does the first one's data hold what is the other's.
  expect(await exportPerson(t.db, id)).toMatchObject({ former_addresses: ['first@moved.example'], sign_ups: [] })
  expect(await exportPerson(t.db, again?.id ?? 0)).toMatchObject({ sign_ups: [{ wording: 'Yes' }] })
  expect(await erase(id)).toBe(true)
  const suppressed = () =>
    t.sql(
      `select kind, value, reason, subscriber_id from suppressions where value like '%@moved.example' order by value`,
    )
  expect(await suppressed()).toEqual([
    { kind: 'address', value: 'first@moved.example', reason: 'unsubscribe', subscriber_id: null },
  ])
  expect(await erase(again?.id ?? 0)).toBe(true)
  expect(await suppressed()).toEqual([])
  expect(await upsert({ email: 'first@moved.example' })).toMatchObject({ refusal: 'deleted_before' })
})

test('while their mail waits: the next claim skips it', async () => {
  const { id, campaign_id } = await leaveTraces(t)
  await t.sql(
    `update deliveries set state = 'pending', sent_at = null, lease_token = null where campaign_id = $1 and subscriber_id = $2`,
    [campaign_id, id],
  )
  await t.sql('update batches set open = 1, sent = size - 1 where campaign_id = $1', [campaign_id])
  await erase(id)
  const claim = await claimBatch(t.db, { campaign_id, batch: 0, token: crypto.randomUUID(), lease_seconds: 60 })
  expect(claim).toMatchObject({ claimed: true, rows: [{ subscriber_id: id, skip: 'deleted', email: '' }] })
})

test('a mail about them to somebody else does not leave, and one to several is sent to the others', async () => {
  const { mark, id, email } = await leaveTraces(t)
  const send = async (content: string, ...addresses: string[]) => {
    const [row] = await t.sql<{ id: string }>(
      `insert into transactional_sends (purpose, content) values ('data', $1::jsonb) returning id`,
      [JSON.stringify({ text: content })],
    )
    await t.sql(
      `insert into transactional_mails (send_id, email, state) select $1, e, 'queued' from unnest($2::text[]) e`,
      [row?.id, addresses],
    )
    return row?.id
  }
  const about = await send(`<p>\n${email.toUpperCase()}.</p>`, 'colleague@example.com')
  // Addresses of others that end or begin like it.
  const alike = await send(`x.${email} ${email}.au ${email.replace('.com', '.community')}`, 'colleague@example.com')
  const shared = await send('nothing of anybody', 'colleague@example.com', email)
  await erase(id)
  const rows = await t.sql(
    `select m.send_id::text as send, m.email, m.state, m.reason, s.content is not null as held from transactional_mails m
     join transactional_sends s on s.id = m.send_id where s.id = any($1::bigint[]) order by m.send_id`,
    [[about, alike, shared]],
  )
  expect(rows).toEqual([
    { send: about, email: 'colleague@example.com', state: 'skipped', reason: 'deleted', held: false },
    { send: alike, email: 'colleague@example.com', state: 'queued', reason: null, held: true },
    { send: shared, email: 'colleague@example.com', state: 'queued', reason: null, held: true },
  ])
  expect(await tracesOf(t, mark)).toEqual(['transactional_sends.content'])
})

test('beside everything that writes of them: gone, and nothing comes back', async () => {
  for (let round = 0; round < 5; round++) {
    const { mark, id, email, campaign_id } = await leaveTraces(t)
    const moved = `Moved.${mark}@example.net`
    const [first, second] = await Promise.all([
      erase(id),
      erase(id),
      recordFeedback(t.db, [news('hard_bounce', campaign_id, id, email), news('soft_bounce', campaign_id, id, email)]),
      flushEvents(t.db, [seen('open', campaign_id, id), seen('click', campaign_id, id)]),
      writeSubscribers(t.db, HASH_KEY, 'update', [{ id, email: moved }]),
      upsert({ email }),
    ])
    expect([first, second].sort()).toEqual([false, true])
    const places = await tracesOf(t, mark)
    // The upsert may have come between the change of the address and the deletion: then its address is a new person's.
    const [person] = await t.sql<{ id: string }>('select id from subscribers where lower(email) = $1', [
      email.toLowerCase(),
    ])
    if (person) expect(await erase(Number(person.id))).toBe(true)
    expect(person ? await tracesOf(t, mark) : places).toEqual([])
    expect(await recountCampaign(t.db, campaign_id, false)).toEqual([])
  }
})
