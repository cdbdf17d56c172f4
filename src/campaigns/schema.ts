import * as z from 'zod'
import { fileQuery } from '../exports/schema.ts'
import { TIMELINE_KINDS } from '../feedback/timeline.ts'
import { named, pageQuery, rowId, textId, time } from '../http/schema.ts'
import { FAILURE_REASONS } from '../ledger/retry.ts'
import { DELIVERY_STATES } from '../ledger/status.ts'
import { accountName } from '../senders/schema.ts'
import { LIMITING_FACTORS } from '../sending/permit.ts'
import { finding } from './check/schema.ts'
import { RECIPIENT_FILTERS } from './recipients-export.ts'
import { MAX_LATE_MINUTES, MOST_MINUTES_LATE } from './schedule.ts'
import { CAMPAIGN_STATUSES } from './status.ts'
import { TRACKING_MODES } from './tracking-mode.ts'

const count = z.int().min(0)
const lists = z.array(rowId).max(100)
const segments = z.array(rowId).max(10).optional()
/** Ten years: of what lies before, nothing is known. */
const MOST_DAYS_ACTIVE = 3650

export const audience = named(
  'Audience',
  z.strictObject({
    include: lists
      .min(1, 'must name at least one mailing list')
      .openapi({ description: 'Mailing lists; a person on several gets one mail' }),
    exclude: lists.default([]).openapi({ description: 'Whoever has any standing on one of these lists gets none' }),
    include_segments: segments.openapi({
      description:
        'Segments: a person must also be in one of these, if any are named. They are asked when the campaign starts and its audience is written down, with the filter that they have at its start',
    }),
    exclude_segments: segments.openapi({ description: 'Segments: whoever is in one of these gets none' }),
    where: z
      .record(z.string().min(1).max(100), z.union([z.string().max(1000), z.number(), z.boolean()]))
      .default({})
      .openapi({ description: 'Attributes that must all be equal', example: { plan: 'pro' } }),
    sample: z
      .strictObject({ percent: z.number().min(0.01).max(100), seed: z.int().min(0).default(1) })
      .nullable()
      .default(null)
      .openapi({ description: 'A share of the rest; the same seed picks the same people' }),
    active_within_days: z.int().min(1).max(MOST_DAYS_ACTIVE).optional().openapi({
      description:
        'Only who opened a mail or followed a link in the last so many days. Machines do not count, what cannot be told does',
    }),
    opened: rowId.optional().openapi({
      description:
        'A campaign: only who opened it or followed a link of it. Machines do not count; what cannot be told does, for as long as events are kept. A campaign that counts without saying who has nobody',
    }),
    not_opened: rowId.optional().openapi({
      description: 'A campaign: only who was sent it and did not open it, as `opened` has it',
    }),
    clicked: rowId.optional().openapi({ description: 'A campaign: only who followed a link of it' }),
    not_clicked: rowId
      .optional()
      .openapi({ description: 'A campaign: only who was sent it and followed no link of it' }),
  }),
)

const name = z.string().trim().min(1).max(200)
/** Control characters end or forge a header: not in a subject. */
const oneLine = z
  .string()
  .trim()
  .max(900)
  .regex(/^\P{Cc}*$/u, 'must be one line, without control characters')
const subject = oneLine.min(1).openapi({ description: 'A Handlebars template', example: 'News for {{first_name}}' })

const utmValue = z.string().trim().min(1).max(200).optional()

export const utm = named(
  'Utm',
  z
    .strictObject({ source: utmValue, medium: utmValue, campaign: utmValue, term: utmValue, content: utmValue })
    .openapi({
      description:
        'Parameters added to every tracked link as `utm_source` and so on, where the link does not have them already. Links that are not tracked stay as they are',
      example: { source: 'newsletter', medium: 'email', campaign: 'spring' },
    }),
)

const template_version = rowId.nullable().openapi({
  description: 'A version of the template to stay with; null follows the newest until it is scheduled or sent',
})

const account = accountName.openapi({
  description: "A sending account of GET /accounts, in place of the sender's; null leaves it to the sender",
})

const trackingMode = (of: string, none: string) =>
  z
    .enum(TRACKING_MODES)
    .nullable()
    .openapi({
      description: `What is kept of ${of}: \`individual\`, who did it; \`aggregate\`, only that somebody did (every recipient's mail has the same addresses); \`none\`, nothing (${none}). null leaves it to the settings, as they are when the campaign starts`,
    })
const tracking = {
  track_opens: trackingMode('opens', 'the mail has no pixel'),
  track_clicks: trackingMode('clicks', 'links stay as they are'),
}

export const newCampaign = named(
  'NewCampaign',
  z.strictObject({
    name,
    subject,
    preheader: oneLine.nullable().default(null),
    template_id: rowId,
    template_version: template_version.default(null),
    sender_id: rowId,
    account: account.default(null),
    audience,
    utm: utm.nullable().default(null),
    track_opens: tracking.track_opens.default(null),
    track_clicks: tracking.track_clicks.default(null),
  }),
)

export const campaignPatch = named(
  'CampaignPatch',
  z
    .strictObject({
      name: name.optional(),
      subject: subject.optional(),
      preheader: oneLine.nullable().optional(),
      template_id: rowId.optional(),
      template_version: template_version.optional(),
      sender_id: rowId.optional(),
      account: account.optional(),
      audience: audience.optional(),
      utm: utm.nullable().optional(),
      track_opens: tracking.track_opens.optional(),
      track_clicks: tracking.track_clicks.optional(),
    })
    .refine((patch) => Object.keys(patch).length > 0, 'must change at least one field'),
)

export const ledger = named(
  'DeliverySums',
  z.strictObject({ audience: count, open: count, sent: count, failed: count, skipped: count, unconfirmed: count }),
)

const campaignFields = {
  id: rowId,
  name: z.string(),
  subject: z.string(),
  preheader: z.string().nullable(),
  template_id: rowId,
  template_version: rowId.nullable().openapi({
    description: 'What is sent of the template; null for a draft that follows the newest version',
  }),
  sender_id: rowId,
  account: z.string().nullable(),
  audience,
  utm: utm.nullable(),
  ...tracking,
  status: z
    .enum(CAMPAIGN_STATUSES)
    .openapi({ description: 'Without `started_at`, `paused` means that it was scheduled and waits to be resumed' }),
  status_reason: z.string().nullable(),
  scheduled_at: time.nullable(),
  max_late_minutes: count.openapi({ description: 'Later than this after `scheduled_at` it is not started any more' }),
  started_at: time.nullable(),
  finished_at: time.nullable(),
  audience_frozen: z.boolean().openapi({ description: 'False while the audience is still being written down' }),
  deliveries: ledger,
  created_at: time,
  updated_at: time,
}

export const campaign = named('Campaign', z.strictObject(campaignFields))

export const runningCampaign = named(
  'CampaignWithLimit',
  z.strictObject({
    ...campaignFields,
    limited_by: z
      .strictObject({
        factor: z.enum(LIMITING_FACTORS).openapi({
          description:
            '`connections`: all are in use; `rate`: the configured mails a second, or the service’s; `throttled`: the service asked to slow down; `day`: the mails of 24 hours are used up; `down`: it refuses us or does not answer',
        }),
        account: z.string(),
        detail: z.string(),
      })
      .nullable()
      .openapi({ description: 'What holds a sending campaign up; null when nothing of ours does' }),
  }),
)

export const startedCampaign = named(
  'StartedCampaign',
  z.strictObject({
    ...campaignFields,
    warnings: z.array(finding).openapi({ description: 'What POST /campaigns/{id}/check warns of' }),
  }),
)

export const campaignQuery = z.strictObject({ ...pageQuery, status: z.enum(CAMPAIGN_STATUSES).optional() })

export const schedule = named(
  'Schedule',
  z.strictObject({
    scheduled_at: time,
    max_late_minutes: z.int().min(1).max(MOST_MINUTES_LATE).default(MAX_LATE_MINUTES).openapi({
      description:
        'If it could not be started by so many minutes after `scheduled_at`, it is not: it goes back to draft with the reason',
    }),
  }),
)

export const retry = named(
  'Retry',
  z.strictObject({
    reasons: z
      .array(z.enum(FAILURE_REASONS))
      .min(1)
      .max(FAILURE_REASONS.length)
      .optional()
      .openapi({ description: 'Which failures; if it is left out, all but `no_such_address`' }),
  }),
)

export const resolution = named(
  'Resolution',
  z.strictObject({
    as: z
      .enum(['accept', 'resend'])
      .openapi({ description: '`accept` counts them as sent; `resend` mails them again, perhaps a second time' }),
  }),
)

/** Of a verb that changes rows of the ledger. */
export const changedRows = named('ChangedRows', z.strictObject({ changed: count }))

export const deliveryQuery = z.strictObject({
  ...pageQuery,
  state: z.enum(DELIVERY_STATES).optional(),
})

export const recipientsQuery = z.strictObject({
  ...fileQuery,
  only: z.enum(RECIPIENT_FILTERS).optional().openapi({ description: 'Which recipients; all, if it is left out' }),
})

export const delivery = named(
  'Delivery',
  z.strictObject({
    subscriber_id: rowId,
    email: z.string().nullable().openapi({ description: 'null once the subscriber was deleted' }),
    state: z.enum(DELIVERY_STATES),
    reason: z.string().nullable(),
    answer: z.string().nullable().openapi({ description: "The provider's own words" }),
    attempts: count,
    next_attempt_at: time.nullable(),
    account: z.string().nullable(),
    provider_message_id: z.string().nullable(),
    sent_at: time.nullable(),
    first_opened_at: time.nullable(),
    first_clicked_at: time.nullable(),
    delivered_at: time.nullable(),
    bounced_at: time.nullable().openapi({ description: 'Its first bounce, hard or soft' }),
    blocked_at: time.nullable(),
    complained_at: time.nullable(),
  }),
)

export const deliveryParams = z.strictObject({ id: textId, subscriber_id: textId })

export const deliveryTimeline = named(
  'DeliveryTimeline',
  delivery.extend({
    timeline: z
      .array(
        z.strictObject({
          at: time,
          what: z.enum(TIMELINE_KINDS),
          detail: z
            .string()
            .nullable()
            .openapi({ description: 'Servers speak here in their own words: text, never markup' }),
        }),
      )
      .openapi({
        description: 'In order of time; of what was told longer than 30 days ago only the first of its kind',
      }),
  }),
)

export const campaignParams = z.strictObject({ id: textId })
