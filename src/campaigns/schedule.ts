import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { iso } from '../db/iso.ts'
import { Problem } from '../http/problem.ts'
import type { Services } from '../http/services.ts'
import { PAUSED_BEFORE_START } from './transitions.ts'
import { underWatch } from './wake.ts'

/** A campaign is not started later than this after its time, unless its schedule says otherwise. */
export const MAX_LATE_MINUTES = 120
/** As late as a schedule may allow: a week. */
export const MOST_MINUTES_LATE = 10_080

/** Of a scheduled campaign: that it is too late to be started. */
export const OVERDUE = sql`scheduled_at < now() - make_interval(mins => max_late_minutes)`

/**
 * draft, scheduled or paused before its start -> scheduled for another moment, with the template as it is when it is first
 * scheduled. The content is checked when it starts, and may be checked before.
 *
 * @param scheduled_at - ISO 8601 UTC, in the future
 * @param max_late_minutes - later than this after `scheduled_at` it is not started any more
 * @throws {Problem} wrong_status
 */
export async function scheduleCampaign(
  s: Pick<Services, 'db' | 'redis' | 'redis_keys'>,
  id: number,
  scheduled_at: string,
  max_late_minutes: number,
): Promise<void> {
  const { rows } = await underWatch(s, id, Date.parse(scheduled_at), () =>
    s.db.execute(sql`
      update campaigns set
        status = 'scheduled', scheduled_at = ${scheduled_at}::timestamptz, max_late_minutes = ${max_late_minutes},
        status_reason = null, updated_at = now(),
        pinned_version = coalesce(pinned_version, template_version,
          (select t.version from templates t where t.id = campaigns.template_id))
      where id = ${id} and (status in ('draft', 'scheduled') or ${PAUSED_BEFORE_START}) returning id`),
  )
  if (rows.length === 0) throw new Problem('wrong_status', `Campaign ${id} has started already, or was cancelled.`)
}

/** scheduled, or paused before its start -> draft. @throws {Problem} wrong_status */
export async function unscheduleCampaign(s: Pick<Services, 'db'>, id: number): Promise<void> {
  const { rows } = await s.db.execute(sql`
    update campaigns set
      status = 'draft', scheduled_at = null, pinned_version = null, status_reason = null, updated_at = now()
    where id = ${id} and (status = 'scheduled' or ${PAUSED_BEFORE_START}) returning id`)
  if (rows.length === 0) throw new Problem('wrong_status', `Campaign ${id} is not scheduled.`)
}

/** A campaign that was due and cannot start goes back to draft, with the reason for its owner to read. */
export async function returnToDraft(s: Pick<Services, 'db'>, id: number, reason: string): Promise<void> {
  await s.db.execute(sql`
    update campaigns set
      status = 'draft', scheduled_at = null, pinned_version = null, status_reason = ${reason}, updated_at = now()
    where id = ${id} and status = 'scheduled' and scheduled_at <= now()`)
}

/** Campaigns that should have started longer ago than their schedule allows go back to draft. @returns their ids */
export async function returnOverdue(db: Database): Promise<number[]> {
  const { rows } = await db.execute<{ id: number }>(sql`
    update campaigns set
      status = 'draft', scheduled_at = null, pinned_version = null, updated_at = now(),
      status_reason = format(
        'It was due at %s and not started: by now it is %s minutes late, and max_late_minutes is %s. Send it now, or schedule it again.',
        ${iso(sql`scheduled_at`)}, floor(extract(epoch from now() - scheduled_at) / 60), max_late_minutes)
    where status = 'scheduled' and ${OVERDUE}
    returning id::float8 as id`)
  return rows.map((row) => row.id)
}
