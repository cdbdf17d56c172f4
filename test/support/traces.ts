// A person who has left something in every table that can hold something of one.
import { flushEvents } from '../../src/events/flush.ts'
import type { FeedbackKind } from '../../src/feedback/event.ts'
import { recordFeedback } from '../../src/feedback/record.ts'
import { freezePage } from '../../src/ledger/freeze.ts'
import { writeSubscribers } from '../../src/subscribers/write.ts'
import type { TrackingEvent } from '../../src/tracking/event.ts'
import { seedCampaign } from './campaign.ts'
import type { TestDatabase } from './database.ts'

export interface Traces {
  id: number
  email: string
  former_email: string
  campaign_id: number
  list_id: number
  /** A text that is found wherever something of this person is. In lower case. */
  mark: string
}

/** Any real key of the tests' own. */
export const HASH_KEY = 'hash key of the traces'

/** Somebody on a list, mailed by a campaign beside two others, who read, left, signed up again and was told about. */
export async function leaveTraces(t: Pick<TestDatabase, 'sql' | 'db'>): Promise<Traces> {
  const key = crypto.randomUUID().replaceAll('-', '')
  const [email, former_email] = [`Zoe.${key}@example.com`, `Zoe.old.${key}@example.org`]
  const { campaign_id, list_id } = await seedCampaign(t, 2)
  const wrote = await writeSubscribers(t.db, HASH_KEY, 'upsert', [
    {
      ...{ email: former_email, first_name: `First${key}`, last_name: `Last${key}`, add_tags: [`tag ${key}`] },
      ...{
        attributes: { street: `Street${key} 7`, seats: 3 },
        timezone: 'Europe/Berlin',
        locale: 'de',
        list_ids: [list_id],
      },
      ...{
        consented_at: '2026-01-02T03:04:05.000Z',
        consent_source: `form ${key}`,
        consent_wording: `I, ${key}, agree`,
      },
      consent_country: 'DE',
    },
  ])
  const id = wrote[0]?.id ?? 0
  const endpoint_id = (
    await t.sql(
      `insert into webhook_endpoints (url, events, secret) values ('https://hooks.example', '{}', 's') returning id`,
    )
  )[0]?.id
  const other_list = Number(
    (await t.sql(`insert into mailing_lists (name) values ($1) returning id`, [crypto.randomUUID()]))[0]?.id,
  )
  // Who has left a list and then changes the address leaves the old one suppressed.
  await t.sql(
    `insert into list_members (list_id, subscriber_id, status, unsubscribed_at) values ($1, $2, 'unsubscribed', now())`,
    [other_list, id],
  )
  await writeSubscribers(t.db, HASH_KEY, 'update', [{ id, email }])
  await t.sql('update campaigns set audience_max_id = $2 where id = $1', [campaign_id, id])
  await freezePage(t.db, campaign_id, 0, { include: [list_id], exclude: [], where: {}, sample: null })
  await t.sql(
    `update deliveries set state = 'sent', sent_at = now() - interval '1 day', lease_token = gen_random_uuid(),
       answer = '250 queued', provider_message_id = 'p-' || subscriber_id where campaign_id = $1`,
    [campaign_id],
  )
  await t.sql('update batches set open = 0, sent = size where campaign_id = $1', [campaign_id])
  await t.sql(`update deliveries set answer = $3 where campaign_id = $1 and subscriber_id = $2`, [
    campaign_id,
    id,
    `250 for ${email}`,
  ])
  await t.sql(
    `insert into campaign_links (campaign_id, n, url, text) values ($1, 1, 'https://acme.example/', 'Acme')`,
    [campaign_id],
  )
  const others = (
    await t.sql<{ id: string }>('select subscriber_id as id from deliveries where campaign_id = $1', [campaign_id])
  ).map((row) => Number(row.id))
  await flushEvents(
    t.db,
    others.flatMap((reader) => [seen('open', campaign_id, reader), seen('click', campaign_id, reader)]),
  )
  await recordFeedback(t.db, [
    ...others.map((told) => news('delivered', campaign_id, told, null)),
    news('soft_bounce', campaign_id, id, email),
    // Of ids that name no mail of ours: only the address says whose it is.
    news('delivered', 999_999_999, 999_999_999, email),
  ])
  await t.sql(`insert into suppressions (kind, value, reason, source) values ('address', $1, 'manual', $2)`, [
    email.toLowerCase(),
    `letter of ${key}`,
  ])
  await t.sql(
    `insert into signups (email, first_name, attributes, list_ids, wording, source, expires_at)
     values ($1, $2, $3::jsonb, array[$4::bigint], 'I agree', 'https://acme.example/form', now() + interval '1 day')`,
    [email.toUpperCase(), `First${key}`, JSON.stringify({ street: key }), list_id],
  )
  await t.sql(
    `with send as (
       insert into transactional_sends (purpose, content) values ('confirmation', $2::jsonb) returning id
     ), sent as (
       insert into transactional_sends (purpose) values ('data') returning id
     )
     insert into transactional_mails (send_id, email, state, answer)
     select id, $1, 'queued', null from send union all select id, $1, 'sent', $3 from sent`,
    [email, JSON.stringify({ subject: `Please confirm, First${key}`, html: email }), `250 for ${email}`],
  )
  await t.sql(
    `insert into idempotency_keys (api_key_id, key, request_hash, status, body) values (1, $1, 'h', 201, $2::jsonb)`,
    [`call ${id}`, JSON.stringify({ id, email, first_name: `First${key}`, attributes: {} })],
  )
  await t.sql(
    `with file as (
       insert into imports (options, rows, refused, status, finished_at, sample)
       values ('{}', 1, 1, 'finished', now(), $3::jsonb) returning id
     )
     insert into import_refusals (import_id, line, reason, record) select id, 2, $2, $1 from file`,
    [
      `"Last${key}",${email.toUpperCase()},Mars/Olympus`,
      `timezone must be a time zone such as Europe/Berlin, not "${key}"`,
      JSON.stringify([{ email, first_name: key }, { email: 'somebody.else@example.com' }]),
    ],
  )
  await t.sql(
    `with told as (
       insert into webhook_messages (endpoint_id, type, subscriber_id, payload)
       values ($1, 'subscriber.created', $2::bigint, jsonb_build_object('subscriber_id', $2::bigint)) returning id
     )
     insert into webhook_attempts (message_id, response, duration_ms) select id, $3, 1 from told`,
    [endpoint_id, id, `thank you, ${email}`],
  )
  return { id, email, former_email, campaign_id, list_id, mark: key }
}

export const seen = (kind: 'open' | 'click', campaign_id: number, subscriber_id: number): TrackingEvent => ({
  ...{ event_id: crypto.randomUUID(), kind, campaign_id, subscriber_id, link: kind === 'click' ? 1 : 0 },
  ...{ occurred_at: new Date().toISOString(), method: 'GET', asn: 3320, agent: 'chrome', country: 'DE', region: 'BY' },
  ...{ device: 'phone', client: 'gmail', verdict: 'human', reason: null, rules: 1 },
})

export const news = (kind: FeedbackKind, campaign_id: number, subscriber_id: number, recipient: string | null) => ({
  ...{ event_id: crypto.randomUUID(), source: 'ses' as const, kind, campaign_id, subscriber_id },
  ...{ recipient: recipient?.toLowerCase() ?? null, occurred_at: new Date().toISOString() },
  diagnostic: recipient && `450 mailbox of ${recipient} is full`,
  raw: recipient && `To: ${recipient}`,
})

/** Every place of the database (`table.column`) where some text contains a mark, in any case and any table there is. */
export async function tracesOf(t: Pick<TestDatabase, 'sql'>, mark: string): Promise<string[]> {
  const columns = await t.sql<{ place: string; select: string }>(
    `select c.table_name || '.' || c.column_name as place,
       format('select %L as place from %I.%I where lower(%I::text) like $1', c.table_name || '.' || c.column_name,
         c.table_schema, c.table_name, c.column_name) as select
     from information_schema.columns c join information_schema.tables b using (table_schema, table_name)
     where c.table_schema = 'public' and b.table_type = 'BASE TABLE'
       and c.data_type in ('text', 'character varying', 'json', 'jsonb', 'ARRAY', 'bytea')`,
  )
  const rows = await t.sql<{ place: string }>(columns.map((column) => column.select).join(' union all '), [
    `%${mark.toLowerCase()}%`,
  ])
  return [...new Set(rows.map(({ place }) => place))].sort()
}
