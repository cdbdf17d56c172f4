import { sql } from 'drizzle-orm'
import { check, foreignKey, index, integer, jsonb, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import { id, identity, instant, now } from '../db/columns.ts'
import type { Filter } from '../segments/filter.ts'
import { senders } from '../senders/table.ts'
import { template_versions, templates } from '../templates/table.ts'
import type { Audience } from './audience.ts'
import type { Snapshot } from './snapshot.ts'
import { CAMPAIGN_STATUSES } from './status.ts'
import { TRACKING_MODES } from './tracking-mode.ts'
import type { Utm } from './utm.ts'

/**
 * One mailing. Its template's version is `template_version` if its owner chose one, else the newest, and from schedule or start
 * on `pinned_version`. `snapshot` and `audience_max_id` are fixed when it starts; `frozen_to` says how far its audience is.
 */
export const campaigns = pgTable(
  'campaigns',
  {
    id: identity(),
    name: text().notNull(),
    subject: text().notNull(),
    preheader: text(),
    template_id: id()
      .notNull()
      .references(() => templates.id),
    template_version: integer(),
    pinned_version: integer(),
    sender_id: id()
      .notNull()
      .references(() => senders.id),
    /** The sending account; null leaves it to the sender, and then to the order of ACCOUNTS. */
    account: text(),
    audience: jsonb().$type<Audience>().notNull(),
    /** The filters of the segments that `audience` names, by id, as they were at its start. */
    segments: jsonb().$type<Record<string, Filter>>(),
    utm: jsonb().$type<Utm>(),
    /** What is kept of opens and clicks; null leaves it to the settings. */
    track_opens: text({ enum: TRACKING_MODES }),
    track_clicks: text({ enum: TRACKING_MODES }),
    status: text({ enum: CAMPAIGN_STATUSES }).notNull().default('draft'),
    status_reason: text(),
    scheduled_at: instant(),
    /** Cron does not start it later than this after `scheduled_at`, in minutes. */
    max_late_minutes: integer().notNull().default(120),
    started_at: instant(),
    finished_at: instant(),
    snapshot: jsonb().$type<Snapshot>(),
    audience_max_id: id(),
    frozen_to: id().notNull().default(0),
    frozen_at: instant(),
    batch_count: integer().notNull().default(0),
    /** Mails that had failed, and that had been tried, when its owner last resumed it: only what comes after can pause it again. */
    failed_at_resume: integer().notNull().default(0),
    tried_at_resume: integer().notNull().default(0),
    /** The same for those who had complained, whose address had bounced, and whose server had blocked it. */
    complaints_at_resume: integer().notNull().default(0),
    bounces_at_resume: integer().notNull().default(0),
    blocks_at_resume: integer().notNull().default(0),
    created_at: instant().notNull().default(now),
    updated_at: instant().notNull().default(now),
  },
  (t) => [
    foreignKey({
      name: 'campaigns_template_version',
      columns: [t.template_id, t.template_version],
      foreignColumns: [template_versions.template_id, template_versions.version],
    }),
    index('campaigns_scheduled').on(t.scheduled_at).where(sql`${t.status} = 'scheduled'`),
    index('campaigns_open').on(t.id).where(sql`${t.status} in ('sending', 'paused')`),
    check('campaigns_status', sql`${t.status} in ('draft', 'scheduled', 'sending', 'paused', 'sent', 'cancelled')`),
    check('campaigns_scheduled_at', sql`${t.status} <> 'scheduled' or ${t.scheduled_at} is not null`),
    check(
      'campaigns_started',
      sql`(${t.snapshot} is not null and ${t.audience_max_id} is not null and ${t.started_at} is not null)
        or ${t.status} not in ('sending', 'paused', 'sent') or (${t.status} = 'paused' and ${t.started_at} is null and ${t.scheduled_at} is not null)`,
    ),
    check(
      'campaigns_tracking',
      sql`${t.track_opens} in ('individual', 'aggregate', 'none') and ${t.track_clicks} in ('individual', 'aggregate', 'none')`,
    ),
    check('campaigns_max_late', sql`${t.max_late_minutes} >= 1`),
    check(
      'campaigns_sent',
      sql`${t.status} <> 'sent' or (${t.frozen_at} is not null and ${t.finished_at} is not null)`,
    ),
  ],
)

/** The links of a started campaign, for statistics; the redirect itself never reads them. */
export const campaign_links = pgTable(
  'campaign_links',
  {
    campaign_id: id()
      .notNull()
      .references(() => campaigns.id, { onDelete: 'cascade' }),
    n: integer().notNull(),
    url: text().notNull(),
    text: text().notNull(),
  },
  (t) => [primaryKey({ columns: [t.campaign_id, t.n] })],
)
