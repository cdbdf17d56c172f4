import type { TestDatabase } from '../../support/database.ts'
import { CAMPAIGNS, LISTS, type Person } from './people.ts'

const DAY = 86_400_000

/** Writes people down as the kit would: counters and activity say what the events say, as far as no machine did it. */
export async function fill(t: TestDatabase, people: readonly Person[], now: number): Promise<void> {
  const at = (days: number) => new Date(now - days * DAY).toISOString()
  const rows = (all: unknown) => [JSON.stringify(all)]
  await t.sql(`insert into mailing_lists (name) select 'list ' || n from generate_series(1, ${LISTS.length}) n`)
  await t.sql(
    `insert into senders (name, from_name, from_email, postal_address) values ('s', 's', 's@example.com', 'Street 1')`,
  )
  await t.sql(`insert into templates (name) values ('t')`)
  await t.sql(`insert into campaigns (name, subject, template_id, sender_id, audience, started_at)
    select 'c' || n, 's', t.id, s.id, '{}', now() - interval '600 days' from generate_series(1, ${CAMPAIGNS.length}) n, templates t, senders s`)
  await t.sql(
    `insert into subscribers (email, first_name, last_name, status, locale, timezone, created_at, updated_at, attributes, tags)
     select email, first_name, last_name, status, locale, timezone, to_timestamp(created_at / 1000), to_timestamp(updated_at / 1000),
       attributes, array(select jsonb_array_elements_text(tags))
     from jsonb_to_recordset($1::jsonb) x (id int, email text, first_name text, last_name text, status text, locale text, timezone text,
       created_at float8, updated_at float8, attributes jsonb, tags jsonb) order by id`,
    rows(people),
  )
  const lists = people.flatMap(({ id, lists }) =>
    lists.map(({ list, status, created, consented }) => ({
      list,
      id,
      status,
      created: at(created),
      consented: consented === null ? null : at(consented),
    })),
  )
  await t.sql(
    `insert into list_members (list_id, subscriber_id, status, created_at, consented_at, unsubscribed_at)
     select list, id, status, created, consented, case when status = 'unsubscribed' then now() end
     from jsonb_to_recordset($1::jsonb) x (list int, id int, status text, created timestamptz, consented timestamptz)`,
    rows(lists),
  )
  const mails = people.flatMap(({ id, mails }) =>
    mails.map(({ campaign, state, days }) => ({ campaign, id, state, sent: state === 'sent' ? at(days) : null })),
  )
  await t.sql(
    `insert into deliveries (campaign_id, subscriber_id, batch, state, reason, sent_at)
     select campaign, id, 0, state, case state when 'failed' then 'rejected' end, sent
     from jsonb_to_recordset($1::jsonb) x (campaign int, id int, state text, sent timestamptz)`,
    rows(mails),
  )
  const events = people.flatMap(({ id, events }) => events.map((event) => ({ ...event, id, at: at(event.days) })))
  await t.sql(
    `insert into campaign_events (event_id, occurred_at, kind, campaign_id, subscriber_id, link, verdict)
     select gen_random_uuid()::text, at, kind, campaign, id, case kind when 'click' then link else 0 end, verdict
     from jsonb_to_recordset($1::jsonb) x (campaign int, id int, kind text, link int, verdict text, at timestamptz)`,
    rows([...events, { campaign: 1, id: null, kind: 'click', link: 1, verdict: 'human', at: at(1) }]),
  )
  await t.sql(`insert into recipient_stats (campaign_id, subscriber_id, opens, clicks, human_opens, human_clicks, first_opened_at, first_clicked_at)
    select campaign_id, subscriber_id, count(*) filter (where kind = 'open'), count(*) filter (where kind = 'click'),
      count(*) filter (where kind = 'open' and verdict = 'human'), count(*) filter (where kind = 'click' and verdict = 'human'),
      min(occurred_at) filter (where kind = 'open'), min(occurred_at) filter (where kind = 'click')
    from campaign_events where subscriber_id is not null group by 1, 2`)
  await t.sql(`insert into subscriber_activity (subscriber_id, last_opened_at, last_clicked_at, last_active_at)
    select subscriber_id, max(occurred_at) filter (where kind = 'open'), max(occurred_at) filter (where kind = 'click'), max(occurred_at)
    from campaign_events where subscriber_id is not null and verdict <> 'machine' group by 1`)
}
