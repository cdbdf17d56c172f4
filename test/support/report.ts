// A campaign with everything that a report shows, written straight into the database.
import { type Snapshot, takeSnapshot } from '../../src/campaigns/snapshot.ts'
import type { TrackingMode } from '../../src/campaigns/tracking-mode.ts'
import { compileTemplate } from '../../src/templates/compile.ts'
import { DEVELOPMENT_SIGNING_KEYS } from '../../src/tokens/development.ts'
import { parseSigningKeys } from '../../src/tokens/keys.ts'
import type { TestDatabase } from './database.ts'

type Sql = TestDatabase['sql']

export interface SeededReport {
  id: number
  sender_id: number
  template_id: number
}

interface Options {
  name?: string
  subject?: string
  status?: 'draft' | 'sending' | 'paused' | 'sent' | 'cancelled'
  status_reason?: string | null
  from_name?: string
  source?: string
  format?: 'mjml' | 'html'
  track_opens?: TrackingMode
  track_clicks?: TrackingMode
  /** What each failed delivery's server said. */
  answer?: string
  started_hours_ago?: number
}

export const SOURCE = `<!doctype html><html><head><title>News</title><style>h1 { color: #14532d }</style></head>
<body style="margin:0;font-family:sans-serif"><h1>Hello {{default first_name "there"}}</h1>
<p><a href="https://shop.example/spring?a=1&b=2" style="color:#14532d">Spring <b>seeds</b></a>,
<a href="https://shop.example/bulbs">bulbs</a> and <a href="https://shop.example/near/{{urlencode email}}">your next shop</a>.</p>
<p><a href="https://shop.example/picture"><img src="data:image/gif;base64,R0lGODlhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs=" width="200" height="60" alt="A garden"></a></p>
<p>{{sender.postal_address}} <a href="{{unsubscribe_url}}">Unsubscribe</a></p></body></html>`

const HOUR = 3_600_000

/** 2,500 recipients in 25 batches, of which the last ones have failures; readers of the first 100 hours. */
export async function seedReport(sql: Sql, options: Options = {}): Promise<SeededReport> {
  const { name = 'Spring letter', subject = 'What to sow now', status = 'sent', status_reason = null } = options
  const { from_name = 'The Garden Shop', source = SOURCE, format = 'html', started_hours_ago = 100 } = options
  const { track_opens = 'individual', track_clicks = 'individual', answer = '550 5.1.1 No such user here' } = options
  const one = async (text: string, params: unknown[] = []) => Number((await sql(text, params))[0]?.id)
  const key = Math.random().toString(36).slice(2)
  const compiled = await compileTemplate({ source, format, text_source: null })
  const template_id = await one(`insert into templates (name) values ('t') returning id`)
  await sql(
    `insert into template_versions (template_id, version, format, source, compiled) values ($1, 1, $2, $3, $4::jsonb)`,
    [template_id, format, source, JSON.stringify(compiled)],
  )
  const sender_id = await one(
    `insert into senders (name, from_name, from_email, postal_address)
     values ($1, $2, 'news@garden.example', 'The Garden Shop, 1 Main Street') returning id`,
    [`sender ${key}`, from_name],
  )
  const list_id = await one('insert into mailing_lists (name) values ($1) returning id', [`list ${key}`])
  const audience = JSON.stringify({ include: [list_id], exclude: [], where: {}, sample: null })
  const id = await one(
    `insert into campaigns (name, subject, template_id, sender_id, audience, track_opens, track_clicks)
     values ($1, $2, $3, $4, $5::jsonb, $6, $7) returning id`,
    [name, subject, template_id, sender_id, audience, track_opens, track_clicks],
  )
  const seeded = { id, sender_id, template_id }
  if (status === 'draft') return seeded

  const content: Omit<Snapshot, 'html' | 'text'> = {
    ...{ template_id, template_version: 1, subject, preheader: '', utm: null, track_opens, track_clicks },
    sender: {
      ...{ from_name, from_email: 'news@garden.example', reply_to: null, account: null },
      postal_address: 'The Garden Shop, 1 Main Street',
    },
    tracking_url: 'https://mail.test',
    public_url: 'https://mail.test',
    list: { id: list_id, name: 'Gardeners' },
    campaign: { id, name },
  }
  const snapshot = await takeSnapshot(content, compiled, await parseSigningKeys(DEVELOPMENT_SIGNING_KEYS))
  const started = new Date(Date.now() - started_hours_ago * HOUR)
  const open = status === 'sending' || status === 'paused'
  await sql(
    `update campaigns set status = $2, status_reason = $3, snapshot = $4::jsonb, audience_max_id = 0, started_at = $5,
       frozen_at = $5, finished_at = case when $6 then null else $5::timestamptz + interval '20 minutes' end
     where id = $1`,
    [id, status, status_reason, JSON.stringify(snapshot), started.toISOString(), open],
  )
  for (const { n, url, text } of compiled.links) {
    await sql('insert into campaign_links (campaign_id, n, url, text) values ($1, $2, $3, $4)', [id, n, url, text])
  }
  // The last batches: 30 failed, 15 skipped, 2 unconfirmed in each; of a campaign under way five are untouched.
  await sql(
    `insert into batches (campaign_id, n, size, open, sent, failed, skipped, unconfirmed, due_at)
     select $1::bigint, n, 100, case when n > $2::int then 100 else 0 end,
       case when n > $2::int then 0 when n > 15 then 53 else 100 end,
       case when n > $2::int or n <= 15 then 0 else 30 end, case when n > $2::int or n <= 15 then 0 else 15 end,
       case when n > $2::int or n <= 15 then 0 else 2 end, now()
     from generate_series(1, 25) n`,
    [id, open ? 20 : 25],
  )
  await sql(
    `insert into deliveries (campaign_id, subscriber_id, batch, state, reason, answer)
     select $1::bigint, 1000000 + b.n * 100 + i, b.n,
       case when b.open > 0 then 'pending' when b.failed = 0 or i <= 53 then 'sent' when i <= 83 then 'failed'
         when i <= 98 then 'skipped' else 'unconfirmed' end,
       case when b.open > 0 or b.failed = 0 or i <= 53 then null when i <= 75 then 'no_such_address' when i <= 81 then 'blocked'
         when i <= 83 then 'gave_up' when i <= 98 then 'unsubscribed' else 'no_answer' end,
       case when b.open = 0 and b.failed > 0 and i > 53 and i <= 75 then $2
         when b.open = 0 and b.failed > 0 and i > 75 and i <= 83 then '554 5.7.1 Message refused by policy' end
     from batches b, generate_series(1, 100) i where b.campaign_id = $1::bigint`,
    [id, answer],
  )
  await sql(
    `insert into campaign_stats (campaign_id, opens, unique_opens, human_opens, human_unique_opens, clicks, unique_clicks,
       human_clicks, human_unique_clicks, unsubscribes, unique_unsubscribes, delivered, soft_bounces, hard_bounces, blocks, complaints)
     values ($1, 1830, $2, 910, $3, 640, $4, 212, $5, 9, 9, $6, 14, 21, 3, 1)`,
    [
      id,
      ...(track_opens === 'aggregate' ? [0, 0] : [1204, 655]),
      ...(track_clicks === 'aggregate' ? [0, 0] : [301, 160]),
      open ? 1700 : 1990,
    ],
  )
  const hours = Math.min(started_hours_ago, 100)
  await sql(
    `insert into campaign_hourly (campaign_id, hour, link, opens, clicks, human_opens, human_clicks)
     select $1::bigint, date_trunc('hour', $2::timestamptz, 'UTC') + h * interval '1 hour', l,
       case when l = 0 then (190 * exp(-h / 9.0))::int + (h % 5) else 0 end, case when l > 0 then (36 * exp(-h / 8.0) / l)::int else 0 end,
       case when l = 0 then (90 * exp(-h / 9.0))::int + (h % 3) else 0 end, case when l > 0 then (12 * exp(-h / 8.0) / l)::int else 0 end
     from generate_series(0, $3::int) h, generate_series(0, $4::int) l`,
    [id, started.toISOString(), hours, compiled.links.length],
  )
  await sql(
    `insert into campaign_breakdown (campaign_id, dimension, value, opens, clicks, human_opens, human_clicks) values
       ($1, 'country', 'DE', 700, 200, 400, 90), ($1, 'country', 'US', 600, 300, 180, 40), ($1, 'country', 'FR', 210, 60, 130, 33),
       ($1, 'country', '', 320, 80, 200, 49), ($1, 'client', 'apple_mail', 420, 10, 120, 8), ($1, 'client', 'gmail', 390, 0, 390, 0),
       ($1, 'client', 'outlook', 200, 12, 180, 12), ($1, 'client', 'chrome', 110, 220, 90, 100), ($1, 'client', '', 710, 398, 130, 92),
       ($1, 'device', 'phone', 510, 120, 300, 80), ($1, 'device', 'computer', 400, 190, 260, 90), ($1, 'device', '', 920, 330, 350, 42)`,
    [id],
  )
  return seeded
}
