import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import type { Brand } from '../pages/brand.ts'
import { NOBODY } from '../tokens/nobody.ts'
import { type Notice, noticeMail } from './notice.ts'
import type { MailContent } from './table.ts'

/** Who the kit's own mails are from, and what they show of the house. */
export interface NoticeSender {
  from_name: string
  from_email: string
  reply_to: string | null
  postal_address: string
  /** The sending account; null takes the first. */
  account: string | null
  brand: Brand
}

/**
 * The sender of the first list that names one, else that of the settings.
 *
 * @param list_ids - what the mail is about, most important first
 * @returns null when there is none: such a mail cannot be sent
 */
export async function findNoticeSender(db: Database, list_ids: readonly number[]): Promise<NoticeSender | null> {
  const { rows } = await db.execute<NoticeSender & Record<string, unknown>>(sql`
    with named as (
      select coalesce(
        (select l.sender_id from unnest(${sql.param([...list_ids])}::bigint[]) with ordinality as w (id, n)
          join mailing_lists l on l.id = w.id where l.sender_id is not null order by w.n limit 1),
        (select sender_id from settings)) as sender_id
    )
    select s.from_name, s.from_email, s.reply_to, s.postal_address, s.account,
      (select jsonb_build_object('brand_name', brand_name, 'brand_logo_url', brand_logo_url,
        'brand_color', brand_color, 'home_url', home_url, 'privacy_url', privacy_url) from settings) as brand
    from named join senders s on s.id = named.sender_id`)
  return rows[0] ?? null
}

/** A notice as it is sent. Nobody subscribed to such mails, so they have no List-Unsubscribe; nothing in them is tracked. */
export function noticeContent(sender: NoticeSender, notice: Notice): MailContent {
  const { from_email, from_name, reply_to, account, brand, postal_address } = sender
  return {
    campaign_id: NOBODY,
    subscriber_id: NOBODY,
    from: { email: from_email, name: from_name },
    reply_to,
    ...noticeMail(notice, brand, postal_address),
    // RFC 3834, 5: no machine is to answer it.
    headers: [['Auto-Submitted', 'auto-generated']],
    envelope_from: from_email,
    account,
  }
}
