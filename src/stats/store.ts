import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { iso } from '../db/iso.ts'
import { ledgerSums } from '../ledger/sums.ts'
import type { CampaignStats } from './schema.ts'

/** A campaign's numbers from the counters that the flush keeps: the same time whatever the number of events. */
export async function campaignNumbers(
  db: Database,
  campaign_id: number,
): Promise<Omit<CampaignStats, 'buffered_events'>> {
  const [totals, links, hourly] = await db.batch([
    db.execute<Totals & Record<string, unknown>>(sql`
      select opens, unique_opens, clicks, unique_clicks, unsubscribes, unique_unsubscribes,
        delivered, json_build_object('hard', hard_bounces, 'soft', soft_bounces) as bounces, blocks as blocked, complaints
      from campaign_stats where campaign_id = ${campaign_id}`),
    db.execute<CampaignStats['links'][number] & Record<string, unknown>>(sql`
      select l.n, l.url, l.text, coalesce(sum(h.clicks), 0)::int as clicks
      from campaign_links l left join campaign_hourly h on h.campaign_id = l.campaign_id and h.link = l.n
      where l.campaign_id = ${campaign_id} group by l.n, l.url, l.text order by l.n`),
    db.execute<CampaignStats['hourly'][number] & Record<string, unknown>>(sql`
      select ${iso(sql`hour`)} as hour, sum(opens)::int as opens, sum(clicks)::int as clicks, sum(unsubscribes)::int as unsubscribes
      from campaign_hourly where campaign_id = ${campaign_id} group by campaign_hourly.hour order by campaign_hourly.hour`),
  ])
  const sums = (await ledgerSums(db, [campaign_id])).get(campaign_id)
  if (!sums) throw new Error('ledgerSums left out a campaign it was asked for')
  const counts = totals.rows[0] ?? NOTHING
  return {
    campaign_id,
    deliveries: sums,
    ...counts,
    rates: {
      open_rate: share(counts.unique_opens, sums.sent),
      click_rate: share(counts.unique_clicks, sums.sent),
      click_to_open_rate: share(counts.unique_clicks, counts.unique_opens),
      unsubscribe_rate: share(counts.unique_unsubscribes, sums.sent),
      complaint_rate: share(counts.complaints, counts.delivered || sums.sent),
    },
    links: links.rows,
    hourly: hourly.rows,
  }
}

type Totals = Pick<
  CampaignStats,
  | 'delivered'
  | 'bounces'
  | 'blocked'
  | 'complaints'
  | 'opens'
  | 'unique_opens'
  | 'clicks'
  | 'unique_clicks'
  | 'unsubscribes'
  | 'unique_unsubscribes'
>

const NOTHING: Totals = {
  delivered: 0,
  bounces: { hard: 0, soft: 0 },
  blocked: 0,
  complaints: 0,
  opens: 0,
  unique_opens: 0,
  clicks: 0,
  unique_clicks: 0,
  unsubscribes: 0,
  unique_unsubscribes: 0,
}

const share = (part: number, whole: number) => (whole === 0 ? null : Math.round((part / whole) * 10_000) / 10_000)
