import * as z from 'zod'
import { named, time } from '../../http/schema.ts'
import { FORECAST_LIMITS } from './forecast.ts'

const count = z.int().min(0)

export const finding = named(
  'Finding',
  z.strictObject({
    code: z.string().openapi({ description: 'For programs; docs/check.md lists them', example: 'image_without_alt' }),
    field: z.string().openapi({ description: "The campaign's field to mend", example: 'template_id' }),
    detail: z.string(),
    line: z.int().optional().openapi({ description: "In the template's source" }),
    part: z.enum(['source', 'text_source']).optional().openapi({ description: 'Which source the line is of' }),
  }),
)

const forecast = z.strictObject({
  starts_at: time,
  seconds: count.nullable().openapi({ description: 'null where it takes more than a year' }),
  finishes_at: time.nullable(),
  per_day: z.array(z.strictObject({ date: z.string(), mails: count })).openapi({ description: 'Days in UTC' }),
  limited_by: z.enum(FORECAST_LIMITS).nullable().openapi({
    description:
      'What takes the longest part of the time: a new account warming up, a limit of 24 hours, mails a second, or the number of connections',
  }),
  accounts: z.array(z.string()).openapi({ description: 'Who carries it, in the order in which they take over' }),
})

const cost = z.strictObject({
  lines: z.array(
    z.strictObject({
      service: z.enum(['sending', 'workers', 'queues', 'durable_objects', 'redis', 'postgres']),
      item: z.string(),
      quantity: z.number(),
      unit: z.string(),
      usd: z.number().nullable().openapi({
        description: 'At list price, nothing of what is included taken off; null where no price is known',
      }),
      price: z.string().openapi({ example: '0.16 USD per 1,000 mails' }),
      included_per_month: z.number().openapi({ description: 'Of this unit; below it this line costs nothing' }),
      source: z.string().nullable(),
      price_read: z.string().nullable().openapi({ description: 'The day on which the price was read' }),
    }),
  ),
  total_usd: z.number().openapi({ description: 'Sum of the lines that have a price' }),
  assumptions: z.record(z.string(), z.number()).openapi({ description: 'What the quantities were computed from' }),
})

export const campaignCheck = named(
  'CampaignCheck',
  z.strictObject({
    errors: z.array(finding).openapi({ description: 'What keeps it from starting' }),
    warnings: z.array(finding),
    audience: z
      .strictObject({
        count,
        suppressed: count.openapi({ description: 'Of these, how many are suppressed and will be skipped' }),
        not_in_allowlist: count.openapi({ description: 'And how many RECIPIENT_ALLOWLIST leaves out' }),
        mails: count.openapi({ description: 'What is left: the forecast and the cost are of these' }),
        by_provider: z
          .array(z.strictObject({ provider: z.string(), count }))
          .openapi({ description: 'By the domain of the address; domains of their own by size, ten at most' }),
        estimated: z.boolean().openapi({
          description: 'Of a large audience some are looked at and the numbers scaled up; freezing counts them all',
        }),
        looked_at: count,
      })
      .nullable()
      .openapi({ description: 'null when a list of it is gone' }),
    size: z
      .strictObject({
        html_bytes: count.openapi({ description: 'As it is sent; Gmail cuts off what is over 102 KB' }),
        text_bytes: count,
        message_bytes: count,
      })
      .nullable()
      .openapi({ description: 'Of the largest mail among those that were made; null when none could be' }),
    forecast: forecast.nullable().openapi({ description: 'null when no account is known that may send it' }),
    cost: cost.nullable(),
  }),
)
