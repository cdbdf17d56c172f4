import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { iso } from '../db/iso.ts'
import type { SubscriberStatus } from '../subscribers/status.ts'
import { UNSUBSCRIBE_LINK } from '../subscribers/table.ts'

/** A list as it is offered to somebody. */
export interface OfferedList {
  id: number
  name: string
  description: string | null
  consent_wording: string | null
  /** Null for a public list they never were on. */
  standing: 'subscribed' | 'unsubscribed' | null
}

/** What somebody gets, and could get. */
export interface Preferences {
  subscriber_id: number
  email: string
  status: SubscriberStatus
  locale: string | null
  timezone: string | null
  /** Null when there is no pause, or it is over. */
  paused_until: string | null
  /** Whether their address or its domain is suppressed in a way that no choice of theirs lifts. */
  blocked: boolean
  /** Ms of the newest opt-out by link that SQL knows; 0 when there is none. */
  known_optout_at: number
  /** The database's clock, by which opt-outs have their time, too. */
  now: string
  lists: OfferedList[]
}

/** Lists that one page offers; the person's own come first. */
const MOST_LISTS = 200

/** @returns null when there is no such subscriber (any more) */
export async function readPreferences(db: Database, subscriber_id: number): Promise<Preferences | null> {
  const { rows } = await db.execute<Preferences & Record<string, unknown>>(sql`
    select s.id::float8 as subscriber_id, s.email, s.status, s.locale, s.timezone, ${iso(sql`now()`)} as now,
      case when s.paused_until > now() then ${iso(sql`s.paused_until`)} end as paused_until,
      exists (
        select from suppressions p
        where (p.kind, p.value) in (('address', lower(s.email)), ('domain', lower(split_part(s.email, '@', 2))))
          and (p.kind = 'domain' or p.reason not in ('unsubscribe', 'bounce', 'complaint'))
      ) as blocked,
      coalesce((
        select extract(epoch from max(c.occurred_at)) * 1000 from consents c
        where c.subscriber_id = s.id and c.action = 'unsubscribed' and starts_with(c.source, ${UNSUBSCRIBE_LINK})
      ), 0)::float8 as known_optout_at,
      coalesce((
        select json_agg(json_build_object('id', o.id, 'name', o.name, 'description', o.description,
          'consent_wording', o.consent_wording, 'standing', o.standing) order by o.own desc, lower(o.name), o.id)
        from (
          select l.id, l.name, l.description, l.consent_wording, m.status as standing, (m.status is not null) as own
          from mailing_lists l
          left join list_members m on m.list_id = l.id and m.subscriber_id = s.id
          where m.status is not null or l.visibility = 'public'
          order by own desc, lower(l.name), l.id limit ${MOST_LISTS}
        ) o
      ), '[]') as lists
    from subscribers s where s.id = ${subscriber_id}`)
  return rows[0] ?? null
}

/** Whether mail of a list is sent to them, but for a pause. */
export const isOn = ({ status }: Pick<Preferences, 'status'>, { standing }: OfferedList): boolean =>
  status === 'active' && standing === 'subscribed'
