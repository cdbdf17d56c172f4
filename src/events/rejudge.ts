// Verdicts that take more than one event: read what happened around, ask the rules, write what they say.
import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { iso } from '../db/iso.ts'
import type { TrackingEvent } from '../tracking/event.ts'
import { crawlerAmong, crawlsOf } from './crawl.ts'
import { judgeNetwork, judgeRecipient, programOf, type Seen } from './judge.ts'
import { NETWORK_SWEEP, REACH, type Reason, RULES_VERSION, SWEEP_SPEED } from './rules.ts'
import { changeVerdicts, type Judged } from './verdicts.ts'

/** Whose events may be judged otherwise by what was just written. */
export interface Suspects {
  /** Recipients with a fresh event who have clicked more than once. */
  recipients: { campaign_id: number; subscriber_id: number }[]
  /** Where fresh clicks came from that were made soon after sending. */
  networks: { campaign_id: number; asn: number; agent: string }[]
}

/** An event with whom it belongs to, as it is read for the rules. */
export interface Neighbour extends Seen {
  campaign_id: number
}

/** The columns the rules read, of `campaign_events e`. */
export const SEEN = sql`
  e.event_id, ${iso(sql`e.occurred_at`)} as occurred_at, e.campaign_id::float8 as campaign_id,
  e.subscriber_id::float8 as subscriber_id, e.kind, e.link, e.method, e.asn::float8 as asn, e.agent, e.since_sent, e.verdict`

/** A recipient who does more than this within minutes is judged by the first so many. */
const MOST = 2000

/**
 * Judges the suspects' events that lie near the given ones. What it finds are machines; which those are does not depend on
 * how the events were cut into slices.
 *
 * @param events - what was just written
 */
export async function judgeNeighbours(
  db: Database,
  events: readonly TrackingEvent[],
  suspects: Suspects,
): Promise<void> {
  const { recipients, networks } = suspects
  if (recipients.length === 0 && networks.length === 0) return
  const [around, alike] = await db.batch([
    db.execute<Row>(aroundRecipients(recipients, events)),
    db.execute<Row>(fromNetworks(networks, events)),
  ])
  /** By the event's key: different rules may find the same, and the first says why. */
  const machines = new Map<string, Judged>()
  const add = (found: ReadonlyMap<Neighbour, Reason>) => {
    for (const [event, reason] of found) {
      const { event_id, occurred_at, subscriber_id, verdict } = event
      if (verdict === 'machine' || machines.has(keyOf(event))) continue
      const judged = { event_id, occurred_at, subscriber_id, verdict: 'machine', reason, rules: RULES_VERSION } as const
      machines.set(keyOf(event), judged)
    }
  }
  const crawlers = []
  for (const seen of grouped(around.rows, ({ campaign_id, subscriber_id }) => `${campaign_id}:${subscriber_id}`)) {
    add(judgeRecipient(seen))
    const unknown = seen.some(
      ({ kind, verdict, ...event }) => kind === 'click' && verdict !== 'machine' && !machines.has(keyOf(event)),
    )
    const crawler = unknown ? crawlerAmong(seen) : null
    if (crawler) crawlers.push(crawler)
  }
  for (const seen of grouped(alike.rows, (event) => `${event.campaign_id}:${programOf(event)}`)) add(judgeNetwork(seen))
  add(await crawlsOf(db, crawlers))
  await changeVerdicts(db, [...machines.values()])
}

/** The suspects among the recipients and networks of events that may have been written by somebody who died since. */
export async function findSuspects(db: Database, events: readonly TrackingEvent[]): Promise<Suspects> {
  const visits = events.filter(({ kind, subscriber_id }) => kind !== 'unsubscribe' && subscriber_id !== null)
  const column = (key: keyof TrackingEvent) => sql.param(visits.map((event) => event[key]))
  const [recipients, networks] = await db.batch([
    db.execute<Suspects['recipients'][number] & Record<string, unknown>>(sql`
      select distinct r.campaign_id::float8 as campaign_id, r.subscriber_id::float8 as subscriber_id
      from unnest(${column('campaign_id')}::bigint[], ${column('subscriber_id')}::bigint[]) as g (campaign_id, subscriber_id)
      join recipient_stats r using (campaign_id, subscriber_id)
      where r.clicks > 1`),
    db.execute<Suspects['networks'][number] & Record<string, unknown>>(sql`
      select distinct e.campaign_id::float8 as campaign_id, e.asn::float8 as asn, e.agent
      from unnest(${column('event_id')}::text[], ${column('occurred_at')}::timestamptz[]) as g (event_id, occurred_at)
      join campaign_events e using (event_id, occurred_at)
      where ${FAST_CLICK}`),
  ])
  return { recipients: recipients.rows, networks: networks.rows }
}

/** Of `campaign_events e`: what a sweep consists of. The number stands in the text: an index is chosen by it. */
export const FAST_CLICK = sql.raw(`e.kind = 'click' and e.since_sent <= ${SWEEP_SPEED} and e.asn is not null
  and e.agent is not null and e.subscriber_id is not null`)

export type Row = Omit<Neighbour, 'at'> & Record<string, unknown>

/** What the suspects did around their given events, oldest first. */
function aroundRecipients(recipients: Suspects['recipients'], events: readonly TrackingEvent[]): SQL {
  const times = new Map<string, { from: string; to: string }>()
  for (const { campaign_id, subscriber_id, occurred_at } of events) {
    const key = `${campaign_id}:${subscriber_id}`
    const known = times.get(key)
    if (!known) times.set(key, { from: occurred_at, to: occurred_at })
    else if (occurred_at < known.from) known.from = occurred_at
    else if (occurred_at > known.to) known.to = occurred_at
  }
  const spans = recipients.flatMap(({ campaign_id, subscriber_id }) => {
    const span = times.get(`${campaign_id}:${subscriber_id}`)
    return span ? [{ campaign_id, subscriber_id, ...span }] : []
  })
  const column = (key: keyof (typeof spans)[number]) => sql.param(spans.map((span) => span[key]))
  return sql`
    select e.* from unnest(
      ${column('campaign_id')}::bigint[], ${column('subscriber_id')}::bigint[],
      ${column('from')}::timestamptz[], ${column('to')}::timestamptz[]
    ) as s (campaign_id, subscriber_id, first, last)
    cross join lateral (
      select ${SEEN} from campaign_events e
      where e.campaign_id = s.campaign_id and e.subscriber_id = s.subscriber_id and e.kind in ('open', 'click')
        and e.occurred_at between s.first - make_interval(secs => ${REACH}::int)
          and s.last + make_interval(secs => ${REACH}::int)
      order by e.occurred_at, e.event_id limit ${MOST}::int
    ) e`
}

/** In seconds. */
const SWEEP_REACH = Math.max(...NETWORK_SWEEP.map(({ seconds }) => seconds))

/** Fast clicks from the suspected networks around the given events, oldest first. */
function fromNetworks(networks: Suspects['networks'], events: readonly TrackingEvent[]): SQL {
  const times = events.map(({ occurred_at }) => occurred_at).sort()
  const column = (key: keyof Suspects['networks'][number]) => sql.param(networks.map((network) => network[key]))
  return sql`
    select ${SEEN} from unnest(${column('campaign_id')}::bigint[], ${column('asn')}::bigint[], ${column('agent')}::text[])
      as n (campaign_id, asn, agent)
    join campaign_events e on e.campaign_id = n.campaign_id and e.asn = n.asn and e.agent = n.agent
    where ${FAST_CLICK} and e.campaign_id = any(${sql.param([...new Set(networks.map((n) => n.campaign_id))])}::bigint[])
      and e.occurred_at between ${times[0] ?? null}::timestamptz - make_interval(secs => ${SWEEP_REACH}::int)
        and ${times.at(-1) ?? null}::timestamptz + make_interval(secs => ${SWEEP_REACH}::int)
    order by e.occurred_at, e.event_id`
}

/** Rows by a key, each group in the order in which they came. */
export function grouped<From extends Row>(
  rows: readonly From[],
  keyOfGroup: (event: From) => string,
): Iterable<(From & Neighbour)[]> {
  const groups = new Map<string, (From & Neighbour)[]>()
  for (const row of rows) {
    const event = { ...row, at: Date.parse(row.occurred_at) }
    const group = groups.get(keyOfGroup(row))
    if (group) group.push(event)
    else groups.set(keyOfGroup(row), [event])
  }
  return groups.values()
}

const keyOf = ({ event_id, occurred_at }: Pick<Seen, 'event_id' | 'occurred_at'>) => `${event_id} ${occurred_at}`
