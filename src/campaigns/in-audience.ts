import { type SQL, sql } from 'drizzle-orm'
import { segmentCondition } from '../segments/compile.ts'
import type { Filter } from '../segments/filter.ts'
import type { Audience, ResolvedAudience } from './audience.ts'
import { hasClicked, hasOpened, wasSent } from './engagement.ts'

/**
 * Of a subscriber `s`: that they are in the audience now. The one truth of whom a campaign is for, whoever asks: what is
 * frozen, what is counted before, and for whom the mail is tried. Someone with any standing on an excluded list stays out,
 * also after leaving that list. So does someone who asked for a pause, until it is over.
 */
export function inAudience(audience: ResolvedAudience): SQL {
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
    ${engaged(audience)}
    ${inSegments(audience)}`
}

function inSegments(audience: ResolvedAudience): SQL {
  const filter = segmentsOf(audience)
  return filter ? sql`and ${segmentCondition(filter)}` : sql``
}

/**
 * What an audience asks with its segments; null when it has none.
 *
 * @throws when one that it names is not resolved: without it more people would get the mail
 */
export function segmentsOf(audience: ResolvedAudience): Filter | null {
  const { include_segments = [], exclude_segments = [], segments = {} } = audience
  const meant = (id: number): Filter => {
    const filter = segments[id]
    if (!filter) throw new Error(`what segment ${id} of the audience means is not known`)
    return filter
  }
  const asked: Filter[] = []
  if (include_segments.length > 0) asked.push({ or: include_segments.map(meant) })
  if (exclude_segments.length > 0) asked.push({ not: { or: exclude_segments.map(meant) } })
  return asked.length > 0 ? { and: asked } : null
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
