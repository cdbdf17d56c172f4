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
}

/** A page of a campaign's deliveries in the order of subscriber ids. */
export async function listDeliveries(
  db: Database,
  page: { campaign_id: number; after: number; limit: number; state: DeliveryState | null },
): Promise<DeliveryRow[]> {
  const state = page.state ? sql`and d.state = ${page.state}` : sql``
  const { rows } = await db.execute<DeliveryRow & Record<string, unknown>>(sql`
    select d.subscriber_id::float8 as subscriber_id, s.email, d.state, d.reason, d.answer, d.attempts::int as attempts,
      ${iso(sql`d.next_attempt_at`)} as next_attempt_at, d.account, d.provider_message_id, ${iso(sql`d.sent_at`)} as sent_at,
      ${iso(sql`r.first_opened_at`)} as first_opened_at, ${iso(sql`r.first_clicked_at`)} as first_clicked_at
    from deliveries d
    left join subscribers s on s.id = d.subscriber_id
    left join recipient_stats r on r.campaign_id = d.campaign_id and r.subscriber_id = d.subscriber_id
    where d.campaign_id = ${page.campaign_id} and d.subscriber_id > ${page.after} ${state}
    order by d.subscriber_id limit ${page.limit}`)
  return rows
}
