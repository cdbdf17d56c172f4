// Programs that go through one mail after another, link by link, too slowly for a burst.
import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { distinctLinks, judgeCrawl, programOf } from './judge.ts'
import { grouped, type Neighbour, type Row, SEEN } from './rejudge.ts'
import { NETWORK_CRAWL, type Reason } from './rules.ts'

interface Program {
  campaign_id: number
  asn: number
  agent: string
}

/** A program that may be one, and when it was seen (ISO 8601). */
interface Suspect extends Program {
  first: string
  last: string
}

/** Events of one network and program that one flush looks at: some hundred milliseconds. */
const MOST = 20_000

/** Of `campaign_events e`: what a crawl consists of. The number stands in the text: an index is chosen by it. */
const SOON = sql.raw(`e.kind = 'click' and e.since_sent <= ${NETWORK_CRAWL.since_sent} and e.asn is not null
  and e.agent is not null and e.subscriber_id is not null`)

/**
 * The program that has gone through most of one recipient's mail, if there is one.
 *
 * @param events - of one recipient and campaign, oldest first
 */
export function crawlerAmong(events: readonly Neighbour[]): Suspect | null {
  const soon = events.filter(
    ({ kind, since_sent }) => kind === 'click' && since_sent !== null && since_sent <= NETWORK_CRAWL.since_sent,
  )
  if (soon.length < NETWORK_CRAWL.links) return null
  for (const clicks of Map.groupBy(soon, programOf).values()) {
    const [first] = clicks
    const last = clicks.at(-1)
    if (!first || !last || first.asn === null || first.agent === null) continue
    if (distinctLinks(clicks) < NETWORK_CRAWL.links) continue
    const { campaign_id, asn, agent } = first
    return { campaign_id, asn, agent, first: first.occurred_at, last: last.occurred_at }
  }
  return null
}

/**
 * What the suspects did to this and to other recipients around that time, as far as it is a crawl.
 *
 * @param most - events of one program that are looked at, the oldest first
 */
export async function crawlsOf(
  db: Database,
  suspects: readonly Suspect[],
  most = MOST,
): Promise<Map<Neighbour, Reason>> {
  const found = new Map<Neighbour, Reason>()
  for (const alike of Map.groupBy(suspects, (suspect) => `${suspect.campaign_id}:${programOf(suspect)}`).values()) {
    const [suspect] = alike
    if (!suspect) continue
    const first = alike.map((one) => one.first).reduce((a, b) => (a < b ? a : b))
    const last = alike.map((one) => one.last).reduce((a, b) => (a > b ? a : b))
    const program = sql`e.campaign_id = ${suspect.campaign_id} and e.asn = ${suspect.asn} and e.agent = ${suspect.agent}
        and e.occurred_at between ${first}::timestamptz - make_interval(secs => ${NETWORK_CRAWL.within}::int)
          and ${last}::timestamptz + make_interval(secs => ${NETWORK_CRAWL.within}::int)`
    const { rows: clicks } = await db.execute<Row>(sql`
      select ${SEEN} from campaign_events e where ${program} and ${SOON}
      order by e.occurred_at, e.event_id limit ${most}::int`)
    const [crawl] = [...grouped(clicks, () => '')].map((events) => judgeCrawl(events))
    if (!crawl || crawl.size === 0) continue
    const recipients = [...new Set([...crawl.keys()].map(({ subscriber_id }) => subscriber_id))]
    const { rows: opens } = await db.execute<Row>(sql`
      select ${SEEN} from campaign_events e
      where ${program} and e.kind = 'open' and e.subscriber_id = any(${sql.param(recipients)}::bigint[])`)
    const both = [...clicks, ...opens].sort((a, b) => (a.occurred_at < b.occurred_at ? -1 : 1))
    for (const events of grouped(both, () => '')) for (const [event, why] of judgeCrawl(events)) found.set(event, why)
  }
  return found
}

/** Programs of a campaign that followed many links of several recipients: what a crawler has in any case done. */
export async function crawlersOf(db: Database, campaign_id: number): Promise<Suspect[]> {
  const { rows } = await db.execute<Suspect & Record<string, unknown>>(sql`
    select ${campaign_id}::float8 as campaign_id, asn::float8 as asn, agent, min(first)::text as first, max(last)::text as last
    from (
      select e.asn, e.agent, e.subscriber_id, min(e.occurred_at) as first, max(e.occurred_at) as last
      from campaign_events e
      where e.campaign_id = ${campaign_id} and ${SOON}
      group by 1, 2, 3 having count(distinct e.link) >= ${NETWORK_CRAWL.links}::int
    ) thorough
    group by asn, agent having count(*) >= ${NETWORK_CRAWL.recipients}::int`)
  return rows
}
