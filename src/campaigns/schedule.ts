import { sql } from 'drizzle-orm'
import { Problem } from '../http/problem.ts'
import type { Services } from '../http/services.ts'
import { underWatch } from './wake.ts'

/**
 * draft or scheduled -> scheduled for another moment, with the template as it is when it is first scheduled. The content is checked when it starts, and may be checked before.
 *
 * @param scheduled_at - ISO 8601 UTC, in the future
 * @throws {Problem} wrong_status
 */
export async function scheduleCampaign(
  s: Pick<Services, 'db' | 'redis' | 'redis_keys'>,
  id: number,
  scheduled_at: string,
): Promise<void> {
  const { rows } = await underWatch(s, id, Date.parse(scheduled_at), () =>
    s.db.execute(sql`
      update campaigns set
        status = 'scheduled', scheduled_at = ${scheduled_at}::timestamptz, status_reason = null, updated_at = now(),
        pinned_version = coalesce(pinned_version, template_version,
          (select t.version from templates t where t.id = campaigns.template_id))
      where id = ${id} and status in ('draft', 'scheduled') returning id`),
  )
  if (rows.length === 0) throw new Problem('wrong_status', `Campaign ${id} has started already.`)
}

/** scheduled -> draft. @throws {Problem} wrong_status */
export async function unscheduleCampaign(s: Pick<Services, 'db'>, id: number): Promise<void> {
  const { rows } = await s.db.execute(sql`
    update campaigns set status = 'draft', scheduled_at = null, pinned_version = null, updated_at = now()
    where id = ${id} and status = 'scheduled' returning id`)
  if (rows.length === 0) throw new Problem('wrong_status', `Campaign ${id} is not scheduled.`)
}

/** A scheduled campaign that cannot start goes back to draft, with the reason for its owner to read. */
export async function returnToDraft(s: Pick<Services, 'db'>, id: number, reason: string): Promise<void> {
  await s.db.execute(sql`
    update campaigns set
      status = 'draft', scheduled_at = null, pinned_version = null, status_reason = ${reason}, updated_at = now()
    where id = ${id} and status = 'scheduled'`)
}
