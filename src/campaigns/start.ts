import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { Problem } from '../http/problem.ts'
import type { Services } from '../http/services.ts'
import { listsOf } from '../segments/references.ts'
import type { TemplateLink } from '../templates/compiled.ts'
import { type Checking, checkBeforeStart, checkCampaign } from './check/check.ts'
import { type Finding, notReady } from './check/finding.ts'
import { type Plan, readPlan } from './plan.ts'
import { OVERDUE } from './schedule.ts'
import type { Snapshot } from './snapshot.ts'
import { underWatch } from './wake.ts'

type Starting = Checking & Pick<Services, 'redis' | 'redis_keys' | 'dispatch'>

/**
 * Starts a campaign: checks what its recipients would get (check/), then moves it to `sending` in one conditional UPDATE that
 * also keeps what was checked, what its segments mean, and fixes who can be in the audience.
 *
 * @param due - true for cron: only a campaign that is scheduled and due may start
 * @returns the check's warnings; none for cron, which has nobody to tell and looks only for errors
 * @throws {Problem} wrong_status, campaign_not_ready (nothing has changed then)
 */
export async function startCampaign(s: Starting, id: number, due = false): Promise<Finding[]> {
  const plan = await readPlan(s.db, id)
  const startable = plan && (due ? plan.status === 'scheduled' : plan.status === 'draft' || plan.status === 'scheduled')
  if (!plan || !startable) {
    throw new Problem(
      'wrong_status',
      `Campaign ${id} is ${plan?.status ?? 'gone'}; only a draft or scheduled one can start.`,
    )
  }
  const { errors, warnings, snapshot } = due ? await checkBeforeStart(s, plan) : await checkCampaign(s, plan)
  if (errors.length > 0 || !snapshot) throw notReady(errors)
  if (!(await underWatch(s, id, 0, () => moveToSending(s.db, plan, snapshot, plan.compiled.links, due)))) {
    throw new Problem('wrong_status', `Campaign ${id} was changed or started meanwhile. Read it again.`)
  }
  await s.dispatch.send({ campaign_id: id, enqueued: 0 })
  return warnings
}

/**
 * The one change of state: tests the status, that nothing was edited since the plan was read, and that no list of the
 * audience or of its segments is gone. Their lock makes a deletion wait until it can see that the campaign is on its way (lists/delete.ts).
 */
async function moveToSending(
  db: Database,
  plan: Plan,
  snapshot: Snapshot,
  links: readonly TemplateLink[],
  due: boolean,
): Promise<boolean> {
  const from = due
    ? sql`status = 'scheduled' and scheduled_at <= now() and not ${OVERDUE}`
    : sql`status in ('draft', 'scheduled')`
  const { include, exclude, segments } = plan.audience
  const list_ids = [...new Set([...include, ...exclude, ...Object.values(segments ?? {}).flatMap(listsOf)])]
  const { rows } = await db.execute(sql`
    with lists as materialized (
      select id from mailing_lists where id = any(${sql.param(list_ids)}::bigint[]) order by id for key share
    ), moved as (
      update campaigns set
        status = 'sending', status_reason = null, pinned_version = ${plan.template_version}, snapshot = ${JSON.stringify(snapshot)}::jsonb,
        segments = ${segments ? JSON.stringify(segments) : null}::jsonb,
        audience_max_id = coalesce((select max(id) from subscribers), 0), started_at = now(), updated_at = now()
      where id = ${plan.id} and ${from} and updated_at::text = ${plan.version}
        and (select count(*) from lists) = ${list_ids.length}
      returning id
    ), new_links as (
      insert into campaign_links (campaign_id, n, url, text)
      select moved.id, l.n, l.url, l.text from moved, jsonb_to_recordset(${JSON.stringify(links)}::jsonb) as l (n int, url text, text text)
    )
    select id from moved`)
  return rows.length > 0
}
