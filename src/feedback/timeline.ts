import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { iso } from '../db/iso.ts'
import { type DeliveryRow, findDelivery, oneMail } from '../ledger/list.ts'
import type { FeedbackKind, FeedbackSource } from './event.ts'

/** What can have happened to one mail, in the order in which it does when two have the same moment. */
export const TIMELINE_KINDS = [
  'queued',
  'skipped',
  'sending',
  'deferred',
  'failed',
  'unconfirmed',
  'sent',
  'delivered',
  'bounced',
  'blocked',
  'opened',
  'clicked',
  'unsubscribed',
  'complained',
] as const
export type TimelineKind = (typeof TIMELINE_KINDS)[number]

export interface TimelineEntry {
  at: string
  what: TimelineKind
  detail: string | null
}

/** So many of what was told, and of what the reader did, are shown. */
const SHOWN = 200

const WHAT: Record<FeedbackKind, TimelineKind> = {
  delivered: 'delivered',
  deferred: 'deferred',
  soft_bounce: 'bounced',
  hard_bounce: 'bounced',
  blocked: 'blocked',
  complaint: 'complained',
}

/** One line of the ledger with all that is known of it, in order of time; null when there is none for this subscriber. */
export async function deliveryTimeline(db: Database, campaign_id: number, subscriber_id: number) {
  const delivery = await findDelivery(db, campaign_id, subscriber_id)
  if (!delivery) return null
  const mail = oneMail(campaign_id, subscriber_id)
  const [row, told, reader] = await db.batch([
    db.execute<LedgerTimes & Record<string, unknown>>(sql`
      select ${iso(sql`c.started_at`)} as queued_at, ${iso(sql`d.updated_at`)} as updated_at,
        ${iso(sql`f.accepted_at`)} as accepted_at, ${iso(sql`f.hard_bounced_at`)} as hard_bounced_at,
        ${iso(sql`f.soft_bounced_at`)} as soft_bounced_at, f.diagnostic, r.opens,
        ${iso(sql`r.unsubscribed_at`)} as unsubscribed_at
      from ${mail} m
      join deliveries d on d.campaign_id = m.campaign_id and d.subscriber_id = m.subscriber_id
      join campaigns c on c.id = d.campaign_id
      left join recipient_feedback f on f.campaign_id = d.campaign_id and f.subscriber_id = d.subscriber_id
      left join recipient_stats r on r.campaign_id = d.campaign_id and r.subscriber_id = d.subscriber_id`),
    db.execute<Told & Record<string, unknown>>(sql`
      select ${iso(sql`occurred_at`)} as at, kind, source, diagnostic
      from feedback_events where subscriber_id = ${subscriber_id} and campaign_id = ${campaign_id} and matched
      order by feedback_events.occurred_at, event_id limit ${SHOWN}`),
    db.execute<Done & Record<string, unknown>>(sql`
      select ${iso(sql`e.occurred_at`)} as at, e.kind, l.url
      from ${mail} m
      join campaign_events e on e.campaign_id = m.campaign_id and e.subscriber_id = m.subscriber_id
      left join campaign_links l on l.campaign_id = e.campaign_id and l.n = e.link
      where e.kind in ('click', 'unsubscribe')
      order by e.occurred_at, e.event_id limit ${SHOWN}`),
  ])
  const [times] = row.rows
  if (!times) return null
  const entries = [
    ...ofLedger(delivery, times),
    ...ofServers(delivery, times, told.rows),
    ...ofReader(delivery, times, reader.rows),
  ]
  const rank = ({ what }: TimelineEntry) => TIMELINE_KINDS.indexOf(what)
  entries.sort((a, b) => (a.at === b.at ? rank(a) - rank(b) : a.at < b.at ? -1 : 1))
  return { ...delivery, timeline: entries }
}

interface LedgerTimes {
  queued_at: string
  updated_at: string
  accepted_at: string | null
  hard_bounced_at: string | null
  soft_bounced_at: string | null
  diagnostic: string | null
  opens: number | null
  unsubscribed_at: string | null
}

interface Told {
  at: string
  kind: FeedbackKind
  source: FeedbackSource
  diagnostic: string | null
}

interface Done {
  at: string
  kind: 'click' | 'unsubscribe'
  url: string | null
}

const words = (...parts: (string | null | false)[]) => parts.filter(Boolean).join(': ') || null

/** Who tried to send a mail, how often, and what came of it. */
export const attemptInWords = ({
  account,
  attempts,
  reason,
  answer,
}: Pick<DeliveryRow, 'account' | 'attempts' | 'reason' | 'answer'>) =>
  words(account !== null && `by account ${account}`, attempts > 1 && `attempt ${attempts}`, reason, answer)

/** Written down when the campaign started, and how it stands now; the ledger keeps no steps in between. */
function ofLedger(d: DeliveryRow, { queued_at, updated_at, accepted_at }: LedgerTimes): TimelineEntry[] {
  const entries: TimelineEntry[] = [{ at: queued_at, what: 'queued', detail: null }]
  switch (d.state) {
    case 'pending':
      break
    case 'sent': {
      // It is recorded a moment after it left, when the first news may be there already.
      const at = d.sent_at ?? updated_at
      const detail = attemptInWords(d)
      entries.push({ at: accepted_at !== null && accepted_at < at ? accepted_at : at, what: 'sent', detail })
      break
    }
    case 'deferred':
      entries.push({
        at: updated_at,
        what: 'deferred',
        detail: attemptInWords({ ...d, reason: `${d.reason}, again at ${d.next_attempt_at}` }),
      })
      break
    default:
      entries.push({ at: updated_at, what: d.state, detail: attemptInWords(d) })
  }
  return entries
}

/** Each piece of news; of a kind whose pieces are forgotten, the first moment. */
function ofServers(d: DeliveryRow, times: LedgerTimes, told: readonly Told[]): TimelineEntry[] {
  const entries = told.map(({ at, kind, source, diagnostic }) => ({
    at,
    what: WHAT[kind],
    detail: words(kind === 'hard_bounce' ? 'hard' : kind === 'soft_bounce' && 'soft', `told by ${source}`, diagnostic),
  }))
  const firsts: [FeedbackKind, string | null, string | null][] = [
    ['delivered', d.delivered_at, null],
    ['soft_bounce', times.soft_bounced_at, words('soft', times.diagnostic)],
    ['hard_bounce', times.hard_bounced_at, words('hard', times.diagnostic)],
    ['blocked', d.blocked_at, times.diagnostic],
    ['complaint', d.complained_at, null],
  ]
  for (const [kind, at, detail] of firsts) {
    if (at !== null && !told.some((one) => one.kind === kind)) entries.push({ at, what: WHAT[kind], detail })
  }
  return entries
}

/** The first open, every click, and leaving; of what is forgotten, the first moment. */
function ofReader(d: DeliveryRow, times: LedgerTimes, done: readonly Done[]): TimelineEntry[] {
  const entries: TimelineEntry[] = done.map(({ at, kind, url }) => ({
    at,
    what: kind === 'click' ? 'clicked' : 'unsubscribed',
    detail: url,
  }))
  const lacks = (what: TimelineKind) => !entries.some((entry) => entry.what === what)
  if (d.first_clicked_at !== null && lacks('clicked')) {
    entries.push({ at: d.first_clicked_at, what: 'clicked', detail: null })
  }
  if (times.unsubscribed_at !== null && lacks('unsubscribed')) {
    entries.push({ at: times.unsubscribed_at, what: 'unsubscribed', detail: null })
  }
  if (d.first_opened_at !== null) {
    const more = times.opens !== null && times.opens > 1
    entries.push({ at: d.first_opened_at, what: 'opened', detail: more ? `${times.opens} times in all` : null })
  }
  return entries
}
