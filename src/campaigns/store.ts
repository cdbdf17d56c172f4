import { and, desc, eq, lt, type SQL, sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { mailing_lists } from '../lists/table.ts'
import { listsOf } from '../segments/references.ts'
import { segments } from '../segments/table.ts'
import { senders } from '../senders/table.ts'
import { templates } from '../templates/table.ts'
import { type Audience, CAMPAIGN_CONDITIONS, type ResolvedAudience } from './audience.ts'
import type { CampaignStatus } from './status.ts'
import { campaigns } from './table.ts'
import type { TrackingMode } from './tracking-mode.ts'
import type { Utm } from './utm.ts'

/** Everything of a campaign that people see: the snapshot stays behind. */
const COLUMNS = {
  id: campaigns.id,
  name: campaigns.name,
  subject: campaigns.subject,
  preheader: campaigns.preheader,
  template_id: campaigns.template_id,
  template_version: sql<number | null>`coalesce(${campaigns.pinned_version}, ${campaigns.template_version})`,
  sender_id: campaigns.sender_id,
  account: campaigns.account,
  audience: campaigns.audience,
  utm: campaigns.utm,
  track_opens: campaigns.track_opens,
  track_clicks: campaigns.track_clicks,
  status: campaigns.status,
  status_reason: campaigns.status_reason,
  scheduled_at: campaigns.scheduled_at,
  max_late_minutes: campaigns.max_late_minutes,
  started_at: campaigns.started_at,
  finished_at: campaigns.finished_at,
  audience_frozen: sql<boolean>`${campaigns.frozen_at} is not null`,
  created_at: campaigns.created_at,
  updated_at: campaigns.updated_at,
}

export type CampaignRow = Awaited<ReturnType<typeof listCampaigns>>[number]

export interface CampaignContent {
  name: string
  subject: string
  preheader: string | null
  template_id: number
  template_version: number | null
  sender_id: number
  account: string | null
  audience: Audience
  utm: Utm | null
  track_opens: TrackingMode | null
  track_clicks: TrackingMode | null
}

/** @throws a violation of `campaigns_template_version` when the template has no such version */
export async function insertCampaign(db: Database, content: CampaignContent): Promise<CampaignRow> {
  const [row] = await db.insert(campaigns).values(content).returning(COLUMNS)
  if (!row) throw new Error('the insert of a campaign returned no row')
  return row
}

export async function findCampaign(db: Database, id: number): Promise<CampaignRow | undefined> {
  const [row] = await db.select(COLUMNS).from(campaigns).where(eq(campaigns.id, id))
  return row
}

/** Newest first. Reads one row more than `limit`, which tells whether another page follows. */
export async function listCampaigns(
  db: Database,
  page: { before: number | null; status: CampaignStatus | undefined; limit: number },
) {
  const where: SQL[] = []
  if (page.before !== null) where.push(lt(campaigns.id, page.before))
  if (page.status) where.push(eq(campaigns.status, page.status))
  return db
    .select(COLUMNS)
    .from(campaigns)
    .where(and(...where))
    .orderBy(desc(campaigns.id))
    .limit(page.limit + 1)
}

/** Changes a draft. @returns undefined when it is none (any more) */
export async function updateDraft(
  db: Database,
  id: number,
  change: Partial<CampaignContent>,
): Promise<CampaignRow | undefined> {
  const { template_id } = change
  // A version chosen of one template says nothing of another.
  const unchosen = template_id !== undefined && change.template_version === undefined
  const template_version = sql`case when template_id = ${template_id ?? 0} then template_version end`
  const [row] = await db
    .update(campaigns)
    .set({ ...change, ...(unchosen ? { template_version } : {}), updated_at: sql`now()` })
    .where(and(eq(campaigns.id, id), eq(campaigns.status, 'draft')))
    .returning(COLUMNS)
  return row
}

/** @returns whether it was a draft, or cancelled before it had started, and is gone */
export async function deleteUnstarted(db: Database, id: number): Promise<boolean> {
  const unstarted = sql`${campaigns.status} in ('draft', 'cancelled') and ${campaigns.started_at} is null`
  const rows = await db
    .delete(campaigns)
    .where(and(eq(campaigns.id, id), unstarted))
    .returning({ id: campaigns.id })
  return rows.length > 0
}

/** A new draft with the content of any campaign. */
export async function duplicateCampaign(db: Database, id: number): Promise<CampaignRow | undefined> {
  const { name, subject, preheader, template_id, template_version, sender_id, account, audience, utm } = campaigns
  const { track_opens, track_clicks } = campaigns
  const content = { name, subject, preheader, template_id, template_version, sender_id, account, audience, utm }
  const [copy] = await db
    .select({ ...content, track_opens, track_clicks })
    .from(campaigns)
    .where(eq(campaigns.id, id))
  return copy && insertCampaign(db, { ...copy, name: `${copy.name} (copy)`.slice(0, 200) })
}

const SEGMENT_PARTS = ['include_segments', 'exclude_segments'] as const

/** Which of the rows a campaign names are not there: field and id. */
export async function missingReferences(
  db: Database,
  content: Partial<Omit<CampaignContent, 'audience'> & { audience: ResolvedAudience }>,
): Promise<{ field: string; detail: string }[]> {
  const { template_id, sender_id, audience } = content
  const filters = Object.entries(audience?.segments ?? {})
  const filterLists = new Map(filters.map(([id, filter]) => [Number(id), listsOf(filter)]))
  const listIds = audience ? [...audience.include, ...audience.exclude, ...[...filterLists.values()].flat()] : []
  const campaignIds = CAMPAIGN_CONDITIONS.flatMap((field) => audience?.[field] ?? [])
  const segmentIds = SEGMENT_PARTS.flatMap((part) => audience?.[part] ?? [])
  const [templateRows, senderRows, listRows, campaignRows, segmentRows] = await db.batch([
    db
      .select({ id: templates.id })
      .from(templates)
      .where(and(eq(templates.id, template_id ?? 0), sql`${templates.deleted_at} is null`)),
    db
      .select({ id: senders.id })
      .from(senders)
      .where(eq(senders.id, sender_id ?? 0)),
    db
      .select({ id: mailing_lists.id })
      .from(mailing_lists)
      .where(sql`${mailing_lists.id} = any(${sql.param(listIds)}::bigint[])`),
    db
      .select({ id: campaigns.id })
      .from(campaigns)
      .where(sql`${campaigns.id} = any(${sql.param(campaignIds)}::bigint[])`),
    db
      .select({ id: segments.id })
      .from(segments)
      .where(sql`${segments.id} = any(${sql.param(segmentIds)}::bigint[])`),
  ])
  const known = new Set(listRows.map((row) => row.id))
  const missing: { field: string; detail: string }[] = []
  if (template_id !== undefined && templateRows.length === 0) {
    missing.push({ field: 'template_id', detail: `names no template: there is no template ${template_id}` })
  }
  if (sender_id !== undefined && senderRows.length === 0) {
    missing.push({ field: 'sender_id', detail: `names no sender: there is no sender ${sender_id}` })
  }
  for (const part of ['include', 'exclude'] as const) {
    audience?.[part].forEach((id, i) => {
      if (!known.has(id)) {
        missing.push({ field: `audience.${part}.${i}`, detail: `names no mailing list: there is no list ${id}` })
      }
    })
  }
  const knownSegments = new Set(segmentRows.map((row) => row.id))
  for (const part of SEGMENT_PARTS) {
    audience?.[part]?.forEach((id, i) => {
      const field = `audience.${part}.${i}`
      const gone = filterLists.get(id)?.find((list_id) => !known.has(list_id))
      if (!knownSegments.has(id) && !filterLists.has(id)) {
        missing.push({ field, detail: `names no segment: there is no segment ${id}` })
      } else if (gone !== undefined) {
        missing.push({ field, detail: `names a segment that asks for mailing list ${gone}, which is gone` })
      }
    })
  }
  const named = new Set(campaignRows.map((row) => row.id))
  for (const field of CAMPAIGN_CONDITIONS) {
    const id = audience?.[field]
    if (id !== undefined && !named.has(id)) {
      missing.push({ field: `audience.${field}`, detail: `names no campaign: there is no campaign ${id}` })
    }
  }
  return missing
}
