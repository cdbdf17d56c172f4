import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { iso } from '../db/iso.ts'
import { ledgerSums } from '../ledger/sums.ts'
import { rates } from './rates.ts'
import type { CampaignStats, SeriesUnit } from './schema.ts'

export type CampaignNumbers = Omit<CampaignStats, 'series' | 'buffered_events' | 'buffered_seconds'>

/** A campaign's numbers from the counters that the flush keeps: the same time whatever the number of events. */
export async function campaignNumbers(db: Database, campaign_id: number): Promise<CampaignNumbers> {
  const [totals, links, kinds] = await db.batch([
    db.execute<Totals & Record<string, unknown>>(sql`
      select opens, unique_opens, human_opens, human_unique_opens, clicks, unique_clicks, human_clicks, human_unique_clicks,
        unsubscribes, unique_unsubscribes,
        delivered, json_build_object('hard', hard_bounces, 'soft', soft_bounces) as bounces, blocks as blocked, complaints
      from campaign_stats where campaign_id = ${campaign_id}`),
    db.execute<CampaignStats['links'][number] & Record<string, unknown>>(sql`
      select l.n, l.url, l.text, coalesce(sum(h.clicks), 0)::int as clicks, coalesce(sum(h.human_clicks), 0)::int as human_clicks
      from campaign_links l left join campaign_hourly h on h.campaign_id = l.campaign_id and h.link = l.n
      where l.campaign_id = ${campaign_id} group by l.n, l.url, l.text order by l.n`),
    db.execute<Kind & Record<string, unknown>>(sql`
      select dimension, nullif(value, '') as value, opens, clicks, human_opens, human_clicks
      from campaign_breakdown where campaign_id = ${campaign_id} and opens + clicks > 0
      order by opens + clicks desc, campaign_breakdown.value`),
  ])
  const sums = (await ledgerSums(db, [campaign_id])).get(campaign_id)
  if (!sums) throw new Error('ledgerSums left out a campaign it was asked for')
  const counts = totals.rows[0] ?? NOTHING
  const by = (wanted: Kind['dimension']) =>
    kinds.rows.filter(({ dimension }) => dimension === wanted).map(({ dimension, ...row }) => row)
  return {
    campaign_id,
    deliveries: sums,
    ...counts,
    rates: rates(counts, sums),
    links: links.rows,
    countries: by('country'),
    clients: by('client'),
    devices: by('device'),
  }
}

/** What happened by hour or day (UTC), those in which something did, oldest first. */
export async function campaignSeries(
  db: Database,
  campaign_id: number,
  unit: SeriesUnit,
): Promise<CampaignStats['series']> {
  const at = unit === 'hour' ? sql`hour` : sql`date_trunc('day', hour, 'UTC')`
  const { rows } = await db.execute<CampaignStats['series']['points'][number] & Record<string, unknown>>(sql`
    select ${iso(sql`s.at`)} as at, opens, clicks, human_opens, human_clicks, unsubscribes
    from (
      select ${at} as at, sum(opens)::int as opens, sum(clicks)::int as clicks, sum(human_opens)::int as human_opens,
        sum(human_clicks)::int as human_clicks, sum(unsubscribes)::int as unsubscribes
      from campaign_hourly where campaign_id = ${campaign_id} group by 1
    ) s
    where opens + clicks + unsubscribes > 0
    order by s.at`)
  return { unit, time_zone: 'UTC', points: rows }
}

interface Kind {
  dimension: 'country' | 'client' | 'device'
  value: string | null
  opens: number
  clicks: number
  human_opens: number
  human_clicks: number
}

export type Totals = Pick<
  CampaignStats,
  | 'delivered'
  | 'bounces'
  | 'blocked'
  | 'complaints'
  | 'opens'
  | 'unique_opens'
  | 'human_opens'
  | 'human_unique_opens'
  | 'clicks'
  | 'unique_clicks'
  | 'human_clicks'
  | 'human_unique_clicks'
  | 'unsubscribes'
  | 'unique_unsubscribes'
>

/** Of a campaign of which nothing is known yet. */
export const NOTHING: Totals = {
  delivered: 0,
  bounces: { hard: 0, soft: 0 },
  blocked: 0,
  complaints: 0,
  opens: 0,
  unique_opens: 0,
  human_opens: 0,
  human_unique_opens: 0,
  clicks: 0,
  unique_clicks: 0,
  human_clicks: 0,
  human_unique_clicks: 0,
  unsubscribes: 0,
  unique_unsubscribes: 0,
}
