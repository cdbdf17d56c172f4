import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { iso } from '../db/iso.ts'
import type { DeliveryState } from './status.ts'

/** One line of a campaign's ledger, as it is read. `email` is null once the subscriber was deleted. */
export interface DeliveryRow {
  subscriber_id: number
  email: string | null
  state: DeliveryState
  reason: string | null
  answer: string | null
  attempts: number
  next_attempt_at: string | null
  account: string | null
  provider_message_id: string | null
  sent_at: string | null
  first_opened_at: string | null
  first_clicked_at: string | null
  delivered_at: string | null
  /** The first bounce of either kind. */
  bounced_at: string | null
  blocked_at: string | null
  complained_at: string | null
}

const COLUMNS = sql`
  d.subscriber_id::float8 as subscriber_id, s.email, d.state, d.reason, d.answer, d.attempts::int as attempts,
    ${iso(sql`d.next_attempt_at`)} as next_attempt_at, d.account, d.provider_message_id, ${iso(sql`d.sent_at`)} as sent_at,
    ${iso(sql`r.first_opened_at`)} as first_opened_at, ${iso(sql`r.first_clicked_at`)} as first_clicked_at,
    ${iso(sql`f.delivered_at`)} as delivered_at, ${iso(sql`least(f.hard_bounced_at, f.soft_bounced_at)`)} as bounced_at,
    ${iso(sql`f.blocked_at`)} as blocked_at, ${iso(sql`f.complained_at`)} as complained_at`

const JOINS = sql`
  left join subscribers s on s.id = d.subscriber_id
  left join recipient_stats r on r.campaign_id = d.campaign_id and r.subscriber_id = d.subscriber_id
  left join recipient_feedback f on f.campaign_id = d.campaign_id and f.subscriber_id = d.subscriber_id`

/** States that a batch counts: such a batch has at least one row of it. */
const COUNTED: ReadonlySet<DeliveryState> = new Set(['sent', 'failed', 'skipped', 'unconfirmed'])

/**
 * A page of a campaign's deliveries in the order of subscriber ids. There is no index on the state, which changes too
 * often for one: the batches' counters say where to look, so a few failures among a million rows are found at once.
 */
export async function listDeliveries(
  db: Database,
  page: { campaign_id: number; after: number; limit: number; state: DeliveryState | null },
): Promise<DeliveryRow[]> {
  const { campaign_id, after, limit, state } = page
  // So many batches, and the one that the page begins in, hold a whole page: each has one row at least.
  const where =
    state && COUNTED.has(state)
      ? sql`and d.batch = any(array(
          select n from batches
          where campaign_id = ${campaign_id} and ${sql.identifier(state)} > 0
            and n >= coalesce((select batch from deliveries where campaign_id = ${campaign_id} and subscriber_id = ${after}), 0)
          order by n limit ${limit + 1}))`
      : sql``
  const { rows } = await db.execute<DeliveryRow & Record<string, unknown>>(sql`
    select ${COLUMNS} from deliveries d ${JOINS}
    where d.campaign_id = ${campaign_id} and d.subscriber_id > ${after} ${where} ${state ? sql`and d.state = ${state}` : sql``}
    order by d.subscriber_id limit ${limit}`)
  return rows
}

/**
 * The key of one mail, to be joined with. As constants the two would be looked up in statistics, and where those are older
 * than the campaign, all its rows would be read to find one.
 */
export const oneMail = (campaign_id: number, subscriber_id: number) =>
  sql`(select ${campaign_id}::bigint as campaign_id, ${subscriber_id}::bigint as subscriber_id offset 0)`

/** One line of a campaign's ledger; undefined when it has none for this subscriber. */
export async function findDelivery(
  db: Database,
  campaign_id: number,
  subscriber_id: number,
): Promise<DeliveryRow | undefined> {
  const { rows } = await db.execute<DeliveryRow & Record<string, unknown>>(sql`
    select ${COLUMNS} from ${oneMail(campaign_id, subscriber_id)} m
    join deliveries d on d.campaign_id = m.campaign_id and d.subscriber_id = m.subscriber_id ${JOINS}`)
  return rows[0]
}
