import { type SQL, sql } from 'drizzle-orm'
import type { Audience } from './audience.ts'
import { hasClicked, hasOpened, wasSent } from './engagement.ts'

/**
 * Of a subscriber `s`: that they are in the audience now. The one truth of whom a campaign is for, whoever asks: what is
 * frozen, what is counted before, and for whom the mail is tried. Someone with any standing on an excluded list stays out,
 * also after leaving that list. So does someone who asked for a pause, until it is over.
 */
export function inAudience(audience: Audience): SQL {
  const { include, exclude, where, sample } = audience
  const sampled = sample
    ? sql`and (hashint8extended(s.id, ${sample.seed}::bigint) & 9223372036854775807) % 1000000
          < ${Math.round(sample.percent * 10_000)}::int`
    : sql``
  return sql`
    s.status = 'active'
    and (s.paused_until is null or s.paused_until <= now())
    and s.attributes @> ${JSON.stringify(where)}::jsonb
    and exists (
      select 1 from list_members m
      where m.list_id = any(${sql.param(include)}::bigint[]) and m.subscriber_id = s.id and m.status = 'subscribed'
    )
    and not exists (
      select 1 from list_members m
      where m.list_id = any(${sql.param(exclude)}::bigint[]) and m.subscriber_id = s.id
    )
    ${sampled}
    ${engaged(audience)}`
}

/** What they did with earlier mails; `offset 0` as in engagement.ts. */
function engaged({ active_within_days, opened, not_opened, clicked, not_clicked }: Audience): SQL {
  const conditions: SQL[] = []
  if (active_within_days) {
    conditions.push(sql`exists (
      select 1 from subscriber_activity a
      where a.subscriber_id = s.id and a.last_active_at >= now() - make_interval(days => ${active_within_days}::int)
      offset 0
    )`)
  }
  if (opened) conditions.push(hasOpened(opened))
  if (clicked) conditions.push(hasClicked(clicked))
  if (not_opened) conditions.push(sql`${wasSent(not_opened)} and not ${hasOpened(not_opened)}`)
  if (not_clicked) conditions.push(sql`${wasSent(not_clicked)} and not ${hasClicked(not_clicked)}`)
  return sql.join(
    conditions.map((condition) => sql`and ${condition}`),
    sql` `,
  )
}
