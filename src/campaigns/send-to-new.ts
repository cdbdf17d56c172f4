import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { Problem } from '../http/problem.ts'
import type { Services } from '../http/services.ts'
import { listsOf } from '../segments/references.ts'
import type { Audience, ResolvedAudience } from './audience.ts'
import { missingReferences } from './store.ts'
import { underWatch } from './wake.ts'

/**
 * Has a campaign look through its audience once more, for whoever is in it now and has no row in the ledger: they get what
 * the others got, and its segments mean what they meant when it started. sent -> sending, or sending with its audience frozen; it ends by itself, also when there is nobody.
 *
 * @throws {Problem} wrong_status; campaign_not_ready when a list of its audience is gone, and with it who was left out
 */
export async function sendToNew(
  s: Pick<Services, 'db' | 'redis' | 'redis_keys' | 'dispatch'>,
  campaign: { id: number; audience: Audience },
): Promise<void> {
  const { id } = campaign
  const audience = await fixedAudience(s.db, campaign)
  const missing = await missingReferences(s.db, { audience })
  if (missing.length > 0) {
    throw new Problem('campaign_not_ready', missing.map(({ field, detail }) => `${field} ${detail}`).join('; '), {
      errors: missing,
    })
  }
  const enqueued = await underWatch(s, id, 0, () => thaw(s.db, id, audience))
  if (enqueued === null) {
    throw new Problem(
      'wrong_status',
      `Campaign ${id} is not sent, or its audience is still being written down, or a list of it has just been deleted.`,
    )
  }
  await s.dispatch.send({ campaign_id: id, enqueued })
}

async function fixedAudience(
  db: Database,
  { id, audience }: { id: number; audience: Audience },
): Promise<ResolvedAudience> {
  const { rows } = await db.execute<{ segments: ResolvedAudience['segments'] | null }>(
    sql`select segments from campaigns where id = ${id}`,
  )
  return { ...audience, segments: rows[0]?.segments ?? undefined }
}

/**
 * The one change of state. The lists' lock makes a deletion wait until it can see that the campaign is on its way again
 * (lists/delete.ts).
 *
 * @returns how many batches it has so far; null when nothing was changed
 */
async function thaw(db: Database, id: number, audience: ResolvedAudience): Promise<number | null> {
  const { include, exclude, segments = {} } = audience
  const list_ids = [...new Set([...include, ...exclude, ...Object.values(segments).flatMap(listsOf)])]
  const { rows } = await db.execute<{ batch_count: number }>(sql`
    with lists as materialized (
      select id from mailing_lists where id = any(${sql.param(list_ids)}::bigint[]) order by id for key share
    )
    update campaigns set
      status = 'sending', audience_max_id = coalesce((select max(id) from subscribers), 0), frozen_to = 0, frozen_at = null,
      finished_at = null, updated_at = now()
    where id = ${id} and status in ('sending', 'sent') and frozen_at is not null
      and (select count(*) from lists) = ${list_ids.length}
    returning batch_count`)
  return rows[0]?.batch_count ?? null
}
