// A campaign in the database, made by the shortest way: for tests of what comes after its start.
import { freezePage } from '../../src/ledger/freeze.ts'
import type { TestDatabase } from './database.ts'

export interface SeededCampaign {
  campaign_id: number
  list_id: number
  subscriber_ids: number[]
}

/** The least content that renders; what it says matters to no test that uses it. */
const SNAPSHOT = {
  template_id: 1,
  template_version: 1,
  subject: 'Hello {{first_name}}',
  preheader: '',
  html: '<p>Hello {{first_name}} <a href="{{unsubscribe_url}}">leave</a> {{sender.postal_address}}</p>',
  text: 'Hello {{first_name}} {{unsubscribe_url}} {{sender.postal_address}}',
  sender: {
    from_name: 'Acme',
    from_email: 'news@acme.example',
    reply_to: null,
    postal_address: 'Acme, 1 Main Street',
    account: null,
  },
  tracking_url: 'https://t.acme.example',
  campaign: { id: 0, name: 'News' },
}

/** A started campaign on a list of its own with `size` subscribers, not yet frozen. `suffix` keeps addresses apart. */
export async function seedCampaign(
  t: Pick<TestDatabase, 'sql'>,
  size: number,
  { status = 'sending', email = (i: number, key: string) => `person-${i}-${key}@example.com` } = {},
): Promise<SeededCampaign> {
  const key = Math.random().toString(36).slice(2)
  const one = async (text: string, params: unknown[] = []) => Number((await t.sql(text, params))[0]?.id)
  const list_id = await one('insert into mailing_lists (name) values ($1) returning id', [`list ${key}`])
  const emails = Array.from({ length: size }, (_, i) => email(i, key))
  const people = await t.sql(
    `insert into subscribers (email, first_name) select e, 'Ada' from unnest($1::text[]) with ordinality as x (e, n)
     order by n returning id`,
    [emails],
  )
  const subscriber_ids = people.map((row) => Number(row.id)).sort((a, b) => a - b)
  await t.sql(
    `insert into list_members (list_id, subscriber_id, consented_at, consent_source)
     select $1::bigint, id, now() - interval '1 day', 'test' from unnest($2::bigint[]) as x (id)`,
    [list_id, subscriber_ids],
  )
  const template_id = await one(`insert into templates (name) values ('t') returning id`)
  const sender_id = await one(
    `insert into senders (name, from_name, from_email, postal_address)
     values ($1, 'Acme', 'news@acme.example', 'Acme, 1 Main Street') returning id`,
    [`sender ${key}`],
  )
  const audience = { include: [list_id], exclude: [], where: {}, sample: null }
  const campaign_id = await one(
    `insert into campaigns (name, subject, template_id, sender_id, audience, status, snapshot, audience_max_id, started_at)
     values ('News', 's', $1, $2, $3::jsonb, $4, $5::jsonb, (select max(id) from subscribers), now()) returning id`,
    [
      template_id,
      sender_id,
      JSON.stringify(audience),
      status,
      JSON.stringify({ ...SNAPSHOT, list: { id: list_id, name: 'News' } }),
    ],
  )
  await t.sql(`update campaigns set snapshot = jsonb_set(snapshot, '{campaign,id}', to_jsonb(id)) where id = $1`, [
    campaign_id,
  ])
  return { campaign_id, list_id, subscriber_ids }
}

/** A started campaign whose whole audience is frozen, in batches of at most 100. */
export async function frozenCampaign(t: Pick<TestDatabase, 'sql' | 'db'>, size: number): Promise<SeededCampaign> {
  const seeded = await seedCampaign(t, size)
  await freezePage(t.db, seeded.campaign_id, 0, { include: [seeded.list_id], exclude: [], where: {}, sample: null })
  return seeded
}
