// A campaign's verdicts by the present rules, from what was kept of its events.
import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { RULES_VERSION as EDGE_RULES, judge } from '../tracking/rules.ts'
import { crawlersOf, crawlsOf } from './crawl.ts'
import { isTooFast, judgeNetwork, judgeRecipient } from './judge.ts'
import { FAST_CLICK, grouped, type Neighbour, type Row, SEEN } from './rejudge.ts'
import { NETWORK_SWEEP, type Reason, RULES_VERSION } from './rules.ts'
import { changeVerdicts, type Judged } from './verdicts.ts'

export interface Rejudged {
  /** Opens and clicks that were looked at. */
  events: number
  /** How many have another verdict now; all counters moved with them. */
  moved: number
}

/** Recipients of one page, and events of one statement. */
const PAGE = 1000
const WRITE = 5000
/** Events of one program that may crawl: what one answer of Postgres can hold. */
const MOST = 200_000

/**
 * Judges all opens and clicks of a campaign anew. May run beside flushes, stop anywhere and begin again. It reads the whole
 * campaign: for a script, not for a request.
 */
export async function rejudgeCampaign(db: Database, campaign_id: number): Promise<Rejudged> {
  const done: Rejudged = { events: 0, moved: 0 }
  const swept = await sweeps(db, campaign_id)
  for (const [event, reason] of await crawlsOf(db, await crawlersOf(db, campaign_id), MOST)) {
    if (!swept.has(keyOf(event))) swept.set(keyOf(event), reason)
  }
  for (let after = 0; ; ) {
    const { rows: people } = await db.execute<{ last: number | null }>(sql`
      select max(subscriber_id)::float8 as last from (
        select subscriber_id from recipient_stats
        where campaign_id = ${campaign_id} and subscriber_id > ${after} order by subscriber_id limit ${PAGE}::int
      ) r`)
    const last = people[0]?.last ?? null
    if (last === null) break
    const { rows } = await db.execute<Stored>(sql`
      select ${SEEN}, e.reason, e.rules from campaign_events e
      where e.campaign_id = ${campaign_id} and e.kind in ('open', 'click')
        and e.subscriber_id > ${after} and e.subscriber_id <= ${last}
      order by e.subscriber_id, e.occurred_at, e.event_id`)
    after = last
    done.events += rows.length
    const judged: Judged[] = []
    for (const events of grouped(rows, ({ subscriber_id }) => String(subscriber_id))) {
      const machines = judgeRecipient(events)
      for (const event of events) {
        const reason = machines.get(event) ?? swept.get(keyOf(event))
        judged.push(anew(event, reason))
      }
    }
    const known = new Map(rows.map((row) => [keyOf(row), row]))
    const changed = judged.filter((event) => differs(event, known.get(keyOf(event))))
    for (let i = 0; i < changed.length; i += WRITE) {
      done.moved += await changeVerdicts(db, changed.slice(i, i + WRITE))
    }
  }
  return await rejudgeNobody(db, campaign_id, done)
}

type Stored = Row & { reason: string | null; rules: number }

/** Events without a subscriber: each stands for itself, and many are alike. */
async function rejudgeNobody(db: Database, campaign_id: number, done: Rejudged): Promise<Rejudged> {
  const nobodys = sql`e.campaign_id = ${campaign_id} and e.kind in ('open', 'click') and e.subscriber_id is null`
  const { rows: kinds } = await db.execute<Stored & { count: number }>(sql`
    select '' as event_id, '' as occurred_at, e.kind, e.method, e.asn::float8 as asn, e.agent, e.verdict, e.reason, e.rules,
      count(*)::int as count
    from campaign_events e where ${nobodys}
    group by e.kind, e.method, e.asn, e.agent, e.verdict, e.reason, e.rules`)
  for (const kind of kinds) {
    done.events += kind.count
    const judged = anew({ ...kind, at: 0, since_sent: null, subscriber_id: null }, undefined)
    if (!differs(judged, kind)) continue
    for (;;) {
      // Those that are done are found by this no more.
      const { rows } = await db.execute<Pick<Stored, 'event_id' | 'occurred_at'>>(sql`
        select ${SEEN} from campaign_events e
        where ${nobodys} and e.kind = ${kind.kind} and e.verdict = ${kind.verdict} and e.rules = ${kind.rules}
          and e.method is not distinct from ${kind.method} and e.asn is not distinct from ${kind.asn}::bigint
          and e.agent is not distinct from ${kind.agent} and e.reason is not distinct from ${kind.reason}
        limit ${WRITE}::int`)
      if (rows.length === 0) break
      done.moved += await changeVerdicts(
        db,
        rows.map(({ event_id, occurred_at }) => ({ ...judged, event_id, occurred_at })),
      )
    }
  }
  return done
}

/** The clicks of a campaign that are part of a sweep. */
async function sweeps(db: Database, campaign_id: number): Promise<Map<string, Reason>> {
  const swept = new Map<string, Reason>()
  const least = Math.min(...NETWORK_SWEEP.map(({ recipients }) => recipients))
  const { rows: networks } = await db.execute<{ asn: number; agent: string }>(sql`
    select e.asn::float8 as asn, e.agent from campaign_events e
    where e.campaign_id = ${campaign_id} and ${FAST_CLICK}
    group by e.asn, e.agent having count(distinct e.subscriber_id) >= ${least}::int`)
  for (const { asn, agent } of networks) {
    const { rows } = await db.execute<Row>(sql`
      select ${SEEN} from campaign_events e
      where e.campaign_id = ${campaign_id} and ${FAST_CLICK} and e.asn = ${asn} and e.agent = ${agent}
      order by e.occurred_at, e.event_id`)
    for (const clicks of grouped(rows, () => ''))
      for (const [click, reason] of judgeNetwork(clicks)) swept.set(keyOf(click), reason)
  }
  return swept
}

/** What the edge would say of it, and then what the flush would. */
function anew(event: Neighbour & Pick<Stored, 'reason'>, around: Reason | undefined): Judged {
  const { event_id, occurred_at, subscriber_id, kind, method, asn, agent } = event
  const edge = judge({
    kind,
    method: method ?? 'GET',
    asn,
    agent: agent ?? 'unknown',
    prefetch: event.reason === 'prefetch',
  })
  const key = { event_id, occurred_at, subscriber_id }
  if (edge.verdict === 'machine') return { ...key, ...edge, rules: EDGE_RULES }
  const reason = isTooFast({ ...event, verdict: edge.verdict }) ? 'too_fast' : around
  return reason ? { ...key, verdict: 'machine', reason, rules: RULES_VERSION } : { ...key, ...edge, rules: EDGE_RULES }
}

const differs = (judged: Judged, stored: Stored | undefined) =>
  judged.verdict !== stored?.verdict || judged.reason !== stored.reason || judged.rules !== stored.rules

const keyOf = ({ event_id, occurred_at }: Pick<Neighbour, 'event_id' | 'occurred_at'>) => `${event_id} ${occurred_at}`
