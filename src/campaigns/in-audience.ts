import { type SQL, sql } from 'drizzle-orm'
import type { Audience } from './audience.ts'

/**
 * Of a subscriber `s`: that they are in the audience now. The one truth of whom a campaign is for, whoever asks: what is
 * frozen, what is counted before, and for whom the mail is tried. Someone with any standing on an excluded list stays out,
 * also after leaving that list.
 */
export function inAudience({ include, exclude, where, sample }: Audience): SQL {
  const sampled = sample
    ? sql`and (hashint8extended(s.id, ${sample.seed}::bigint) & 9223372036854775807) % 1000000
          < ${Math.round(sample.percent * 10_000)}::int`
    : sql``
  return sql`
    s.status = 'active'
    and s.attributes @> ${JSON.stringify(where)}::jsonb
    and exists (
      select 1 from list_members m
      where m.list_id = any(${sql.param(include)}::bigint[]) and m.subscriber_id = s.id and m.status = 'subscribed'
    )
    and not exists (
      select 1 from list_members m
      where m.list_id = any(${sql.param(exclude)}::bigint[]) and m.subscriber_id = s.id
    )
    ${sampled}`
}
