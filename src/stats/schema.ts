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
    opens: count,
    unique_opens: count,
    clicks: count,
    unique_clicks: count,
    unsubscribes: count,
    unique_unsubscribes: count,
    rates: z
      .strictObject({ open_rate: rate, click_rate: rate, click_to_open_rate: rate, unsubscribe_rate: rate })
      .openapi({
        description:
          'Unique counts divided by `deliveries.sent`, but `click_to_open_rate` divides unique clicks by unique opens',
      }),
    links: z.array(z.strictObject({ n: z.int(), url: z.string(), text: z.string(), clicks: count })),
    hourly: z.array(z.strictObject({ hour: time, opens: count, clicks: count, unsubscribes: count })),
    buffered_events: count.nullable().openapi({
      description: 'Events of all campaigns not in these numbers yet (at most a minute old); null if unknown',
    }),
  }),
)

export type CampaignStats = z.infer<typeof campaignStats>
