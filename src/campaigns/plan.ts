import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import type { Services } from '../http/services.ts'
import type { CompiledTemplate } from '../templates/compiled.ts'
import type { ResolvedAudience } from './audience.ts'
import { notReady } from './check/finding.ts'
import { overlongLinks } from './check/links.ts'
import { type Snapshot, takeSnapshot } from './snapshot.ts'
import type { CampaignStatus } from './status.ts'
import type { TrackingMode } from './tracking-mode.ts'
import type { Utm } from './utm.ts'

/** A campaign as it stands, with all that its start needs. */
export interface Plan {
  id: number
  name: string
  status: CampaignStatus
  version: string
  subject: string
  preheader: string | null
  audience: ResolvedAudience
  utm: Utm | null
  /** The campaign's own or else the settings'. */
  track_opens: TrackingMode
  track_clicks: TrackingMode
  template_id: number
  template_version: number
  template_deleted: boolean
  /** The campaign's own; `sender.account` is the one that holds. */
  account: string | null
  compiled: CompiledTemplate
  sender: Snapshot['sender'] & { tracking_url: string | null }
  list: { id: number; name: string } | null
}

/** Of a row `c` of campaigns that has not started: its audience with what its segments mean now. */
const AUDIENCE = sql`
  c.audience || coalesce((
    select jsonb_build_object('segments', jsonb_object_agg(g.id, g.filter)) from segments g
    where c.audience -> 'include_segments' @> to_jsonb(g.id) or c.audience -> 'exclude_segments' @> to_jsonb(g.id)
    having count(*) > 0
  ), '{}')`

export async function readPlan(db: Database, id: number): Promise<Plan | undefined> {
  const { rows } = await db.execute<Plan & Record<string, unknown>>(sql`
    select c.id::float8 as id, c.name, c.status, c.updated_at::text as version, c.subject, c.preheader, ${AUDIENCE} as audience, c.utm,
      coalesce(c.track_opens, d.track_opens) as track_opens, coalesce(c.track_clicks, d.track_clicks) as track_clicks,
      c.account, t.id::float8 as template_id, v.version::int as template_version, t.deleted_at is not null as template_deleted, v.compiled,
      jsonb_build_object('from_name', s.from_name, 'from_email', s.from_email, 'reply_to', s.reply_to,
        'postal_address', s.postal_address, 'account', coalesce(c.account, s.account), 'tracking_url', s.tracking_url) as sender,
      (select jsonb_build_object('id', l.id, 'name', l.name) from mailing_lists l
        where l.id = (c.audience -> 'include' ->> 0)::bigint) as list
    from campaigns c
    join senders s on s.id = c.sender_id
    join templates t on t.id = c.template_id
    join template_versions v
      on v.template_id = t.id and v.version = coalesce(c.pinned_version, c.template_version, t.version)
    cross join settings d
    where c.id = ${id}`)
  return rows[0]
}

/**
 * What a campaign would send if it started now.
 *
 * @throws {Problem} campaign_not_ready when a link cannot be tracked
 */
export async function snapshotOf(
  s: Pick<Services, 'tracking_url' | 'public_url' | 'signing_keys'>,
  plan: Plan,
): Promise<Snapshot> {
  const overlong = overlongLinks(plan)
  if (overlong.length > 0) throw notReady(overlong)
  return takeSnapshot(
    {
      template_id: plan.template_id,
      template_version: plan.template_version,
      subject: plan.subject,
      preheader: plan.preheader ?? '',
      sender: plan.sender,
      tracking_url: plan.sender.tracking_url ?? s.tracking_url,
      public_url: s.public_url,
      utm: plan.utm,
      track_opens: plan.track_opens,
      track_clicks: plan.track_clicks,
      list: plan.list ?? { id: 0, name: '' },
      campaign: { id: plan.id, name: plan.name },
    },
    plan.compiled,
    s.signing_keys,
  )
}
