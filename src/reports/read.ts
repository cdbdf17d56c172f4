import { sql } from 'drizzle-orm'
import { type LimitedBy, limitedBy } from '../campaigns/limited-by.ts'
import { readPlan } from '../campaigns/plan.ts'
import { type ReadCampaign, readCampaign } from '../campaigns/read.ts'
import type { Snapshot } from '../campaigns/snapshot.ts'
import type { TrackingMode } from '../campaigns/tracking-mode.ts'
import type { Database } from '../db/client.ts'
import { notFound } from '../http/problem.ts'
import type { Services } from '../http/services.ts'
import { readSettings } from '../settings/store.ts'
import { howFarBehind } from '../stats/buffered.ts'
import { type CampaignNumbers, campaignNumbers, campaignSeries } from '../stats/store.ts'
import { type Badges, clickMap, type MappedMail } from './click-map.ts'
import { commonestReasons, type Reasons } from './reasons.ts'
import { type Series, seriesOf } from './series.ts'

/** All that a report shows. */
export interface Report {
  campaign: ReadCampaign
  /** Whom its mails are from, as readers see it. */
  sender: string
  track_opens: TrackingMode
  track_clicks: TrackingMode
  numbers: CampaignNumbers
  reasons: Reasons
  /** Null before it has started. */
  series: Series | null
  limited_by: LimitedBy | null
  /** Whether nothing at all is sent now, whatever the campaign's status. */
  switched_off: boolean
  buffered_events: number | null
  buffered_seconds: number | null
  /** The mail as HTML for a frame, its links with their clicks on them; null when it cannot be shown. */
  mail: string | null
  made_at: Date
}

/**
 * Reads a campaign's report from counters: it takes the same time whatever the number of mails and events.
 *
 * @throws {Problem} not_found
 */
export async function readReport(
  services: Pick<Services, 'db' | 'sender' | 'redis' | 'redis_keys' | 'sending' | 'now'>,
  id: number,
): Promise<Report> {
  const { db, now } = services
  const campaign = await readCampaign(db, id)
  const made_at = now()
  const sends = campaign.status === 'sending'
  const [content, numbers, points, limited_by, settings, behind] = await Promise.all([
    campaign.started_at === null ? plannedContent(db, id) : sentContent(db, id),
    campaignNumbers(db, id),
    campaignSeries(db, id, 'hour'),
    sends ? limitedBy(services, id) : null,
    sends ? readSettings(db) : null,
    howFarBehind(services),
  ])
  const { mail, track_opens, track_clicks } = content
  return {
    ...{ campaign, numbers, limited_by, track_opens, track_clicks, made_at },
    ...behind,
    switched_off: sends && !(services.sending && settings?.sending),
    sender: mail.sender.from_name,
    reasons: await commonestReasons(db, id, numbers.deliveries),
    series: campaign.started_at === null ? null : seriesOf(points.points, campaign.started_at, made_at),
    mail: clickMap(mail, campaign.started_at === null ? new Map() : badgesOf(numbers, track_clicks)),
  }
}

interface Content {
  mail: MappedMail
  track_opens: TrackingMode
  track_clicks: TrackingMode
}

/** What it would send now. */
async function plannedContent(db: Database, id: number): Promise<Content> {
  const plan = await readPlan(db, id)
  if (!plan) throw notFound('campaign', id)
  const { name, preheader, compiled, sender, list, track_opens, track_clicks } = plan
  const mail = { preheader: preheader ?? '', html: compiled.html, sender, campaign: { id, name } }
  return { mail: { ...mail, list: list ?? { id: 0, name: '' } }, track_opens, track_clicks }
}

/** What it sends or has sent. */
async function sentContent(db: Database, id: number): Promise<Content> {
  const { rows } = await db.execute<{ snapshot: Snapshot }>(sql`select snapshot from campaigns where id = ${id}`)
  const snapshot = rows[0]?.snapshot
  if (!snapshot) throw notFound('campaign', id)
  // One of before these could be chosen has neither.
  const { track_opens = 'individual', track_clicks = 'individual' } = snapshot as Partial<Snapshot>
  return { mail: snapshot, track_opens, track_clicks }
}

/** Clicks of people, and their share of all people's clicks: machines follow every link and would level it out. */
function badgesOf({ links }: CampaignNumbers, mode: TrackingMode): Badges {
  const counted = links.filter(({ url }) => mode === 'individual' || (mode === 'aggregate' && !url.includes('{{')))
  const sum = counted.reduce((so_far, { human_clicks }) => so_far + human_clicks, 0)
  const most = Math.max(...counted.map(({ human_clicks }) => human_clicks))
  return new Map(
    counted.map(({ n, human_clicks, clicks }) => {
      const share = sum === 0 ? '' : ` · ${Math.round((human_clicks / sum) * 100)}%`
      const title = `Link ${n}: ${human_clicks} clicks of people, ${clicks} of all`
      return [n, { text: `${human_clicks}${share}`, title, strong: human_clicks > 0 && human_clicks === most }]
    }),
  )
}
