import * as z from 'zod'
import { named, rowId, time } from '../http/schema.ts'

const count = z.int().min(0)
const rate = z
  .number()
  .nullable()
  .openapi({ description: 'A share from 0 to 1, rounded to 4 places; null when its denominator is 0' })

export const campaignStats = named(
  'CampaignStats',
  z.strictObject({
    campaign_id: rowId,
    deliveries: z.strictObject({
      audience: count,
      open: count,
      sent: count,
      failed: count,
      skipped: count,
      unconfirmed: count,
    }),
    delivered: count.openapi({
      description:
        'Recipients whose server took the mail, as SES and SendGrid tell. One may be among the bounces too: a mail can come back after it was delivered',
    }),
    bounces: z.strictObject({ hard: count, soft: count }).openapi({
      description: 'Recipients whose address does not exist, and those whose server did not take the mail for now',
    }),
    blocked: count.openapi({ description: 'Recipients whose server refused the mail for who sends or what is sent' }),
    complaints: count.openapi({ description: 'Recipients who called it spam' }),
    opens: count,
    unique_opens: count,
    clicks: count,
    unique_clicks: count,
    unsubscribes: count,
    unique_unsubscribes: count,
    rates: z
      .strictObject({
        open_rate: rate,
        click_rate: rate,
        click_to_open_rate: rate,
        unsubscribe_rate: rate,
        complaint_rate: rate,
      })
      .openapi({
        description:
          'Unique counts divided by `deliveries.sent`, but `click_to_open_rate` divides unique clicks by unique opens, and `complaint_rate` by `delivered` unless that is 0',
      }),
    links: z.array(z.strictObject({ n: z.int(), url: z.string(), text: z.string(), clicks: count })),
    hourly: z.array(z.strictObject({ hour: time, opens: count, clicks: count, unsubscribes: count })),
    buffered_events: count.nullable().openapi({
      description: 'Events of all campaigns not in these numbers yet (at most a minute old); null if unknown',
    }),
  }),
)

export type CampaignStats = z.infer<typeof campaignStats>
