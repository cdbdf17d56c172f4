// A million people with a year behind them, made in SQL: lists, tags, attributes, 41 campaigns, their mails, and what
// readers did with them. Each event's person, verdict and day are drawn; counters are counted from the events.
import { ensurePartitions } from '../src/events/partitions.ts'
import { dropIndexes, RECIPIENT_STATS } from './bulk.ts'
import type { BenchDatabase } from './database.ts'

/** Campaigns: the first is to everybody, of the others each to a tenth. */
export const CAMPAIGNS = 41
/** Rows of one statement. */
const CHUNK = 500_000

/** @param people - subscribers; there are five times as many mails and as many events */
export async function makeWorld(
  { sql, db }: BenchDatabase,
  people: number,
  now: Date,
  say: (line: string) => void,
): Promise<void> {
  for (let month = 11; month >= 0; month--) {
    await ensurePartitions(db, new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - month)))
  }
  await sql(`select setseed(0.5)`)
  const indexes = await dropIndexes(sql, ['campaign_events', 'subscribers', 'list_members', 'deliveries'])
  for (let from = 1; from <= people; from += CHUNK) {
    await sql(SUBSCRIBERS, [from, Math.min(from + CHUNK - 1, people), people])
    say(`${Math.min(from + CHUNK - 1, people)} subscribers`)
  }
  for (const statement of GROUND) await sql(statement)
  for (const statement of MEMBERS) await sql(statement)
  for (let id = 1; id <= CAMPAIGNS; id++) await sql(MAILS, [id, people, id === 1 ? 1 : 10])
  say(`${5 * people} mails`)
  for (let made = 0; made < people * 5; made += CHUNK) {
    await sql(EVENTS, [Math.min(CHUNK, people * 5 - made), people])
    say(`${Math.min(made + CHUNK, people * 5)} events`)
  }
  say('indexes and counters')
  for (const definition of indexes) await sql(definition)
  for (const statement of COUNTERS) await sql(statement)
  await sql('vacuum analyze')
}

/** Whoever has a greater id came later, over three years. */
const SUBSCRIBERS = `
  insert into subscribers (email, first_name, last_name, status, attributes, tags, timezone, locale, created_at, updated_at)
  select 'reader' || n || '@' || case
      when r < 0.30 then 'gmail.com' when r < 0.38 then 'yahoo.com' when r < 0.45 then 'outlook.com' else 'firm' || n % 5000 || '.example' end,
    (array['Ada', 'Grace', 'Alan', 'Edsger', 'Barbara', 'Donald', 'Mary', 'John'])[1 + n % 8], 'Reader ' || n,
    case when n % 100 < 92 then 'active' when n % 100 < 97 then 'unsubscribed' else 'bounced' end,
    jsonb_build_object('plan', (array['pro', 'team', 'Free', 'free', 'free', 'free', 'free', 'free', 'trial', 'trial'])[1 + (random() * 9.99)::int % 10],
      'seats', (power(random(), 3) * 500)::int, 'country', (array['DE', 'US', 'GB', 'FR', 'IT', 'ES', 'NL', 'SE'])[1 + n % 8],
      'birthday', to_char(date '1960-01-01' + (random() * 16000)::int, 'YYYY-MM-DD'), 'newsletter', n % 3 = 0),
    array(select t from unnest(array['customer', 'lead', 'vip', 'webinar']) with ordinality x (t, i)
      where random() < (array[0.4, 0.3, 0.03, 0.1])[i] and n > 0 order by 1),
    'Europe/Berlin', (array['de', 'en', 'en-GB', 'fr'])[1 + n % 4],
    now() - interval '1095 days' * (1 - n::float8 / $3::int), now() - interval '1 day'
  from (select n, random() as r from generate_series($1::int, $2::int) n) x`

const age = (campaign_id: string) => `(2 + ${campaign_id} * 8)`

const GROUND = [
  `insert into mailing_lists (name) values ('A'), ('B'), ('small')`,
  `insert into senders (name, from_name, from_email, postal_address) values ('s', 's', 's@harbour.example', 'Quay Street 12')`,
  `insert into templates (name) values ('t')`,
  `insert into campaigns (name, subject, template_id, sender_id, audience, status, snapshot, audience_max_id, started_at, frozen_at, finished_at)
    select 'c' || n, 's', t.id, s.id, '{"include": [1], "exclude": [], "where": {}, "sample": null}', 'sent', '{}', 1,
      now() - interval '1 day' * ${age('n')}, now() - interval '1 day' * ${age('n')}, now() - interval '1 day' * (${age('n')} - 1)
    from generate_series(1, ${CAMPAIGNS}) n, templates t, senders s order by n`,
]

/** Three in four are on A, the later half and some others on B, a thousandth on the small one; a twentieth left. */
const MEMBERS = [
  ['1', 'n % 4 <> 0'],
  ['2', 'n > (select max(id) from subscribers) / 2 or n % 7 = 0'],
  ['3', 'n % 1000 = 0'],
].map(
  ([list_id, who]) => `
  insert into list_members (list_id, subscriber_id, status, consented_at, consent_source, unsubscribed_at, created_at)
  select ${list_id}, s.id, case when left_it then 'unsubscribed' else 'subscribed' end, s.created_at, 'sign-up',
    case when left_it then now() - interval '1 day' end, s.created_at
  from (select s.*, s.id as n, random() < 0.05 as left_it from subscribers s) s where ${who}`,
)

const MAILS = `
  insert into deliveries (campaign_id, subscriber_id, batch, state, attempts, reason, account, provider_message_id, sent_at, updated_at)
  select $1::int, n, row_number() over () / 100, case when n % 50 = 0 then 'failed' else 'sent' end, 1,
    case when n % 50 = 0 then 'no_such_address' end, 'main', 'm' || n,
    case when n % 50 <> 0 then now() - interval '1 day' * ${age('$1::int')} end, now()
  from generate_series(1, $2::int) n where (n + $1::int) % $3::int = 0 order by n`

/** Four in ten are readers; a fifth of the events are of the first campaign. Half of a campaign's come within a day. */
const EVENTS = `
  insert into campaign_events (
    event_id, occurred_at, kind, campaign_id, subscriber_id, link, verdict, rules, method, asn, agent, since_sent, country, device, client
  )
  select gen_random_uuid()::text,
    now() - make_interval(secs => 86400 * (${age('campaign_id')} - least((-1.5 * ln(1 - random()))::float8, ${age('campaign_id')} - 1))),
    kind, campaign_id, subscriber_id, case when kind = 'click' then 1 + (power(random(), 2) * 19)::int else 0 end,
    (array['human', 'human', 'unsure', 'machine'])[1 + (random() * 3)::int], 1, 'GET', 1000, 'chrome', 1000, 'DE', 'phone', 'gmail'
  from (
    select kind, campaign_id,
      block * 10 + case when campaign_id = 1 then 1 + floor(random() * 9)::int else (10 - campaign_id % 10) % 10 end as subscriber_id
    from (
      select case when random() < 0.8 then 'open' else 'click' end as kind,
        case when random() < 0.2 then 1 else 2 + floor(random() * ${CAMPAIGNS - 1})::int end as campaign_id,
        1 + floor(random() * ($2::int / 100 - 1))::int * 10 + floor(random() * 4)::int as block
      from generate_series(1, $1::int)
    ) e
  ) e`

const COUNTERS = [
  RECIPIENT_STATS,
  `insert into subscriber_activity (subscriber_id, last_opened_at, last_clicked_at, last_active_at)
    select subscriber_id, max(occurred_at) filter (where kind = 'open'), max(occurred_at) filter (where kind = 'click'), max(occurred_at)
    from campaign_events where verdict <> 'machine' group by 1`,
]
