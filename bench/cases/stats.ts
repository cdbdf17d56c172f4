// What a report asks, with many events in the table. The events are made in SQL, a third of them of one campaign; counters
// are counted from them, as the flush keeps them.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensurePartitions } from '../../src/events/partitions.ts'
import { statsOverview } from '../../src/stats/overview.ts'
import { recountCampaign } from '../../src/stats/recount.ts'
import { campaignNumbers, campaignSeries } from '../../src/stats/store.ts'
import { dropIndexes, EVENT_SUMS, RECIPIENT_STATS } from '../bulk.ts'
import { type BenchDatabase, startDatabase } from '../database.ts'
import { type Findings, median } from '../result.ts'
import type { Options } from '../run.ts'

/** Campaigns beside the large one. */
const OTHERS = 60
const LINKS = 20
/** Events of one statement. */
const CHUNK = 500_000
/** How often each question is asked in a round. */
const TIMES = 20
/** In ms, each question. */
const AIM = 50

export async function benchStats({ recipients: events, rounds, say }: Options): Promise<Findings> {
  const dir = mkdtempSync(join(tmpdir(), 'emk-bench-'))
  const database = await startDatabase(dir, { durable: false })
  try {
    const now = new Date()
    await ensurePartitions(database.db, now)
    await populate(database, events, now, say)
    const { db } = database
    // Of the ledger only the batches' sums are there.
    const wrong = (await recountCampaign(db, 2, false)).find(({ table }) => table !== 'batches')
    if (wrong) throw new Error(`the counters are not those of the events: ${JSON.stringify(wrong).slice(0, 500)}`)

    const questions = {
      "a campaign's counters, links, countries, clients and devices": () => campaignNumbers(db, 1),
      'its series by hour': () => campaignSeries(db, 1, 'hour'),
      'its series by day': () => campaignSeries(db, 1, 'day'),
      'all campaigns of 30 days': () => statsOverview(db, now),
    }
    const took: Record<string, number[]> = {}
    for (let round = 0; round <= rounds; round++) {
      for (const [name, ask] of Object.entries(questions)) {
        for (let time = 0; time < TIMES; time++) {
          const began = performance.now()
          await ask()
          const all = took[name] ?? []
          took[name] = all
          // The first round warms up.
          if (round > 0) all.push(performance.now() - began)
        }
      }
    }
    const numbers = await campaignNumbers(db, 1)
    const { rows: sizes } = await database.sql<{ gb: number }>(
      `select sum(pg_total_relation_size(inhrelid))::float8 / 1e9 as gb from pg_inherits where inhparent = 'campaign_events'::regclass`,
    )
    const values = Object.entries(took).map(([name, all]) => ({ name, value: median(all), unit: 'ms' }))
    const worst = Object.values(took).map((all) => all.toSorted((a, b) => a - b)[Math.floor(all.length * 0.99)] ?? 0)
    const reached = values.every(({ value }) => value < AIM)
    return {
      rows: [...values, { name: 'all of them, p99', value: Math.max(...worst), unit: 'ms' }],
      ratios: {},
      notes: [
        `${events.toLocaleString('en')} events (${sizes[0]?.gb.toFixed(1)} GB with indexes) of ${OTHERS + 1} campaigns, ${(numbers.opens + numbers.clicks).toLocaleString('en')} of them of the campaign that is asked for; medians of ${rounds * TIMES}, through Neon's HTTP protocol, on loopback.`,
        `Aim: each under ${AIM} ms: ${reached ? 'reached' : 'NOT reached'}.`,
      ],
      facts: { events },
    }
  } finally {
    await database.stop()
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
  }
}

async function populate({ sql }: BenchDatabase, events: number, now: Date, say: (line: string) => void): Promise<void> {
  for (const statement of CAMPAIGNS) await sql(statement)
  const indexes = await dropIndexes(sql, ['campaign_events'])
  for (let from = 1; from <= events; from += CHUNK) {
    await sql(EVENTS, [from, Math.min(from + CHUNK - 1, events), now.toISOString()])
    say(`${Math.min(from + CHUNK - 1, events)} events`)
  }
  for (const definition of indexes) await sql(definition)
  say('counting')
  for (const statement of COUNTERS) await sql(statement)
  await sql('vacuum analyze')
}

/** In days: the large one is three weeks old, the others began one after another. */
const age = (campaign_id: string) => `(case when ${campaign_id} = 1 then 21 else 1 + ${campaign_id} % 20 end)`

/** Sent lately, all of them in the overview; the large one to a million people. */
const CAMPAIGNS = [
  `insert into senders (name, from_name, from_email, postal_address) values ('s', 's', 's@harbour.example', 'Quay Street 12')`,
  `insert into templates (name) values ('t')`,
  `insert into campaigns (name, subject, template_id, sender_id, audience, status, snapshot, audience_max_id, started_at, frozen_at, finished_at)
    select 'c' || n, 's', t.id, s.id, '{"include": [1], "exclude": [], "where": {}, "sample": null}', 'sent', '{}', 1,
      now() - interval '1 day' * ${age('n')}, now(), now()
    from generate_series(1, ${OTHERS + 1}) n, templates t, senders s order by n`,
  `insert into batches (campaign_id, n, size, open, sent, due_at)
    select c, n, 100, 0, 100, now() from generate_series(1, ${OTHERS + 1}) c, generate_series(1, case when c = 1 then 10000 else 1000 end) n`,
  `insert into campaign_links (campaign_id, n, url, text)
    select c, n, 'https://harbour.example/' || n, 'Link ' || n from generate_series(1, ${OTHERS + 1}) c, generate_series(1, ${LINKS}) n`,
]

/** A third are of campaign 1; half of a campaign's come within its first day. */
const EVENTS = `
  insert into campaign_events (
    event_id, occurred_at, kind, campaign_id, subscriber_id, link, verdict, rules, method, asn, agent, since_sent, country, region,
    device, client
  )
  select gen_random_uuid()::text,
    $3::timestamptz - make_interval(secs => 86400 * (${age('campaign_id')} - mod((-1.5 * ln(1 - random()))::numeric, ${age('campaign_id')}))::float8),
    kind, campaign_id, 1 + (random() * 1000000)::int, case when kind = 'click' then 1 + (power(random(), 2) * ${LINKS - 1})::int else 0 end,
    (array['human', 'human', 'unsure', 'machine'])[1 + (random() * 3)::int], 1, 'GET', 1000 + (random() * 300)::int, 'chrome',
    (random() * 1000000)::int, (array['DE', 'US', 'GB', 'FR', 'IT', 'ES', 'NL', null])[1 + (random() * 7)::int], null,
    (array['phone', 'computer', 'tablet', null])[1 + (random() * 3)::int],
    (array['gmail', 'apple_mail', 'chrome', 'outlook', 'yahoo', null])[1 + (random() * 5)::int]
  from (
    select case when random() < 0.75 then 'open' else 'click' end as kind,
      case when random() < 0.333 then 1 else 2 + (random() * ${OTHERS - 1})::int end as campaign_id
    from generate_series($1::int, $2::int)
  ) e`

const COUNTERS = [
  RECIPIENT_STATS,
  `insert into campaign_stats (campaign_id, opens, unique_opens, clicks, unique_clicks, human_opens, human_unique_opens, human_clicks, human_unique_clicks)
    select campaign_id, sum(opens), count(*) filter (where opens > 0), sum(clicks), count(*) filter (where clicks > 0),
      sum(human_opens), count(*) filter (where human_opens > 0), sum(human_clicks), count(*) filter (where human_clicks > 0)
    from recipient_stats group by 1`,
  `insert into campaign_hourly (campaign_id, hour, link, opens, clicks, human_opens, human_clicks)
    select campaign_id, date_trunc('hour', occurred_at, 'UTC'), link, ${EVENT_SUMS} from campaign_events group by 1, 2, 3`,
  `insert into campaign_breakdown (campaign_id, dimension, value, opens, clicks, human_opens, human_clicks)
    select campaign_id, dimension, value, ${EVENT_SUMS} from campaign_events
    cross join lateral (values ('country', coalesce(country, '')), ('client', coalesce(client, '')), ('device', coalesce(device, ''))) d (dimension, value)
    group by 1, 2, 3`,
]
