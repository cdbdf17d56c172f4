import * as z from 'zod'
import { named, rowId, time } from '../http/schema.ts'

const count = z.int().min(0)
const rate = z.number().nullable()

/** What readers did: whoever did it, and as far as the rules hold it to be a person. */
const deeds = {
  opens: count,
  clicks: count,
  human_opens: count,
  human_clicks: count,
}

const breakdown = (what: string) =>
  z
    .array(z.strictObject({ value: z.string().nullable(), ...deeds }))
    .openapi({ description: `${what}, most first; null where it is not known` })

const SERIES_UNITS = ['hour', 'day'] as const
export type SeriesUnit = (typeof SERIES_UNITS)[number]

/** Where the numbers end: what readers did that is not in them yet. */
export const buffered = {
  buffered_events: count.nullable().openapi({
    description: 'Events of all campaigns that are not in these numbers yet; null if Redis cannot be asked',
  }),
  buffered_seconds: count.nullable().openapi({
    description: 'Age of the oldest of them, which is how far these numbers are behind; null where there is none',
  }),
}

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
    opens: count.openapi({ description: 'How often its picture was loaded, by whomever' }),
    unique_opens: count.openapi({
      description:
        'Recipients for whom it was loaded. 0 beside other `opens` where a campaign counts without saying who; so with all unique counts',
    }),
    human_opens: count.openapi({
      description:
        'Of `opens`, those held to be a person’s: not those of machines, nor those of which it cannot be told, such as Apple’s Mail Privacy Protection',
    }),
    human_unique_opens: count,
    clicks: count,
    unique_clicks: count,
    human_clicks: count.openapi({
      description: 'Of `clicks`, those held to be a person’s: security scanners follow links',
    }),
    human_unique_clicks: count,
    unsubscribes: count,
    unique_unsubscribes: count,
    rates: z
      .strictObject({
        denominator: z.enum(['delivered', 'sent']).openapi({
          description:
            'What most rates divide by: `delivered`, where services told of at least four fifths of the sent mails that they arrived, else `deliveries.sent`',
        }),
        open_rate: rate.openapi({ description: '`unique_opens` / denominator' }),
        human_open_rate: rate.openapi({ description: '`human_unique_opens` / denominator' }),
        click_rate: rate.openapi({ description: '`unique_clicks` / denominator' }),
        human_click_rate: rate.openapi({ description: '`human_unique_clicks` / denominator' }),
        click_to_open_rate: rate.openapi({ description: '`unique_clicks` / `unique_opens`' }),
        human_click_to_open_rate: rate.openapi({ description: '`human_unique_clicks` / `human_unique_opens`' }),
        unsubscribe_rate: rate.openapi({ description: '`unique_unsubscribes` / denominator' }),
        complaint_rate: rate.openapi({ description: '`complaints` / denominator' }),
        bounce_rate: rate.openapi({ description: '`bounces.hard` / (`deliveries.sent` + `deliveries.failed`)' }),
      })
      .openapi({
        description:
          'Shares, 1 being all, rounded to 4 places. Null when the denominator is 0, and where it was counted without saying who',
      }),
    links: z
      .array(z.strictObject({ n: z.int(), url: z.string(), text: z.string(), clicks: count, human_clicks: count }))
      .openapi({
        description: '`n` counts the links in the order of the mail, from 1: the same address twice is two links',
      }),
    series: z
      .strictObject({
        unit: z.enum(SERIES_UNITS),
        time_zone: z.literal('UTC'),
        points: z.array(z.strictObject({ at: time, ...deeds, unsubscribes: count })),
      })
      .openapi({ description: 'By hour or day, those in which something happened; `at` is its beginning' }),
    countries: breakdown('By country (ISO 3166-1)'),
    clients: breakdown('By mail client or browser'),
    devices: breakdown('By device: `phone`, `tablet`, `computer`'),
    ...buffered,
  }),
)

export type CampaignStats = z.infer<typeof campaignStats>

export const statsQuery = z.strictObject({
  series: z.enum(SERIES_UNITS).default('hour').openapi({ description: 'The unit of `series`' }),
})

const ofDay = {
  sent: count.openapi({ description: 'Mails of the campaigns that started on this day' }),
  hard_bounces: count.openapi({ description: 'Of the same mails' }),
  soft_bounces: count.openapi({ description: 'Of the same mails' }),
  complaints: count.openapi({ description: 'Of the same mails' }),
  opens: count.openapi({ description: 'On this day, of whatever campaign; so with the following' }),
  human_opens: count,
  clicks: count,
  human_clicks: count,
  unsubscribes: count,
}

export const overview = named(
  'StatsOverview',
  z.strictObject({
    time_zone: z.literal('UTC'),
    days: z
      .array(
        z.strictObject({
          day: z.iso.date(),
          campaigns: count.openapi({ description: 'Started on this day' }),
          ...ofDay,
        }),
      )
      .openapi({ description: 'The last 30 days, today being the last one, each of them also where nothing happened' }),
    totals: z.strictObject({ campaigns: count, ...ofDay }).openapi({ description: 'Sums over these days' }),
    ...buffered,
  }),
)

export type Overview = z.infer<typeof overview>
