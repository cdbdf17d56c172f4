import * as z from 'zod'
import { TRACKING_MODES } from '../campaigns/tracking-mode.ts'
import { violates } from '../db/violation.ts'
import { invalidField, Problem } from '../http/problem.ts'
import { createRouter, operation } from '../http/route.ts'
import { named, rowId, time } from '../http/schema.ts'
import type { Services } from '../http/services.ts'
import { LIMITING_FACTORS } from '../sending/permit.ts'
import { readSettings, writeSettings } from './store.ts'

const tags = ['Settings']

const share = (of: string) =>
  z
    .number()
    .min(0)
    .max(1)
    .meta({ description: `A sending campaign pauses when more than this share ${of}` })

const shares = {
  pause_complaint_share: share('of its delivered mails (and at least 3) was reported as spam'),
  pause_bounce_share: share('of its mails (and at least 20) went to addresses that do not exist'),
  pause_block_share: share('of its mails (and at least 20) was refused for who sends or what is sent'),
}

const mode = (of: string) =>
  z.enum(TRACKING_MODES).meta({
    description: `What is kept of ${of} of campaigns that do not say: who did it, only that somebody did, or nothing`,
  })

const tracking = { track_opens: mode('opens'), track_clicks: mode('clicks') }

const line = (max: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(max)
    .refine((text) => !/[\p{Cc}\u2028\u2029]/u.test(text), 'must be one line, without control characters')

/**
 * As a URL parser prints it, so that it can stand between quotes. Its host may be part of a header: a parser lets `;` and `,`
 * pass there, which would end what they stand in.
 */
const https = (what: string) =>
  z
    .string()
    .max(2000)
    .transform((text, context) => {
      const url = URL.canParse(text) ? new URL(text) : null
      const plain = url?.protocol === 'https:' && /^[a-z0-9.-]+$/.test(url.hostname)
      if (plain && url.username === '' && url.password === '') return url.href
      context.addIssue('must be an https address with a plain host name')
      return z.NEVER
    })
    .nullable()
    .openapi({ type: ['string', 'null'], format: 'uri', description: what, example: 'https://www.example.com/' })

const house = {
  sender_id: rowId.nullable().openapi({
    description: 'Whom confirmations and answers about personal data are from, where a list names no sender of its own',
  }),
  brand_name: line(100).nullable().openapi({ description: 'On top of public pages and such mails', example: 'Acme' }),
  brand_logo_url: https('A picture in place of the name, which then describes it'),
  brand_color: z
    .string()
    .regex(/^#[0-9a-fA-F]{6}$/, 'must be a colour such as #1d4ed8')
    .transform((text) => text.toLowerCase())
    .nullable()
    .openapi({
      type: ['string', 'null'],
      pattern: '^#[0-9a-fA-F]{6}$',
      description: 'Of buttons and links; what stands on it or would be too faint is chosen to be read',
      example: '#0f766e',
    }),
  home_url: https('Linked below public pages: your website'),
  privacy_url: https('Linked below public pages: your privacy notice'),
}

const settings = named(
  'Settings',
  z.strictObject({
    sending: z.boolean().meta({ description: 'false stops all sending at the next group of mails' }),
    deployed_sending: z
      .boolean()
      .meta({ description: 'The SENDING variable: false stops all sending whatever `sending` says' }),
    ...shares,
    ...tracking,
    sender_id: z.int().nullable(),
    brand_name: z.string().nullable(),
    brand_logo_url: z.string().nullable(),
    brand_color: z.string().nullable(),
    home_url: z.string().nullable(),
    privacy_url: z.string().nullable(),
    updated_at: time,
  }),
)
const settingsChange = named(
  'SettingsChange',
  z
    .strictObject({ sending: z.boolean(), ...shares, ...tracking, ...house })
    .partial()
    .refine((change) => Object.keys(change).length > 0, 'must change at least one field'),
)

const standing = named(
  'AccountStanding',
  z.strictObject({
    connections: z.int().meta({ description: 'In use now' }),
    rate_per_second: z.number().nullable().meta({
      description: 'What it goes at now: the lower of its configuration, its service and what that slowed us to',
    }),
    sent_last_day: z.int().meta({ description: 'Mails in the last 24 hours' }),
    per_day: z.int().nullable().meta({ description: 'The limit of 24 hours that holds now' }),
    service_per_day: z
      .number()
      .nullable()
      .meta({ description: 'What the service itself allows in 24 hours; null where it does not say' }),
    limited_by: z
      .enum(LIMITING_FACTORS)
      .nullable()
      .meta({ description: 'What held up a sender within the last minute; null when nothing did' }),
    down: z
      .strictObject({ reason: z.string(), retry_in_ms: z.int() })
      .nullable()
      .meta({ description: 'It refused us, stayed silent or kept failing, and is tried again by itself' }),
  }),
)

const account = named(
  'Account',
  z.strictObject({
    name: z.string(),
    kind: z.enum(['smtp', 'ses', 'sendgrid']),
    where: z.string().meta({ description: 'Host or region' }),
    from_domains: z.array(z.string()).nullable().meta({ description: 'Domains it may send from; null for any' }),
    pool: z.string().nullable().meta({ description: 'Accounts of one pool stand in for each other' }),
    max_connections: z.int(),
    rate_per_second: z.number().nullable(),
    per_day: z.int().nullable(),
    warm_up: z
      .strictObject({
        from: z.string().meta({ description: 'The first day, in UTC', example: '2026-11-24' }),
        per_day: z.array(z.int()).meta({ description: 'Mails on the first day, the second, and so on' }),
        today: z.int().meta({ description: 'Mails in 24 hours as of today' }),
      })
      .nullable()
      .meta({ description: 'While a new account is warming up; null otherwise' }),
    bounce_domain: z
      .string()
      .nullable()
      .meta({ description: "Where bounces go; null for the From address, or a domain of the service's own" }),
    dkim: z
      .array(z.strictObject({ domain: z.string(), selector: z.string(), public_key: z.string() }))
      .meta({ description: 'What it signs with, as DNS must have it' }),
    standing: standing.nullable().meta({ description: 'null when its gate does not answer' }),
  }),
)

const one = { content: { 'application/json': { schema: settings } } }

const get = operation(
  { scope: 'read' },
  {
    method: 'get',
    path: '/settings',
    tags,
    summary: 'Get the settings',
    responses: { 200: { description: 'Settings', ...one } },
  },
)

const put = operation(
  { scope: 'send' },
  {
    method: 'put',
    path: '/settings',
    tags,
    summary:
      'Stop or start all sending; set when campaigns pause by themselves, what is kept of opens and clicks, and how pages look',
    description: 'What is left out stays as it is; null empties a field.',
    request: { body: { required: true, content: { 'application/json': { schema: settingsChange } } } },
    responses: { 200: { description: 'Set', ...one } },
  },
)

const accounts = operation(
  { scope: 'read' },
  {
    method: 'get',
    path: '/accounts',
    tags,
    summary: 'List the sending accounts',
    description:
      'As the sending Worker was deployed with them, in the order in which they are chosen, without their secrets; and how each stands.',
    responses: {
      200: {
        description: 'All accounts',
        content: { 'application/json': { schema: z.strictObject({ data: z.array(account), next_cursor: z.null() }) } },
      },
    },
  },
)

export function settingsRoutes({ db, sender, sending: deployed_sending }: Services) {
  const router = createRouter()

  router.openapi(get, async (c) => {
    return c.json({ ...(await readSettings(db)), deployed_sending }, 200)
  })

  router.openapi(put, async (c) => {
    const written = await writeSettings(db, c.req.valid('json')).catch((error: unknown) => {
      if (!violates(error, 'settings_sender_id_senders_id_fk')) throw error
      throw invalidField('sender_id', 'names a sender that does not exist')
    })
    return c.json({ ...written, deployed_sending }, 200)
  })

  router.openapi(accounts, async (c) => {
    const data = await sender.listAccounts().catch(() => {
      throw new Problem('sender_unavailable', 'The sending Worker does not answer. Is it deployed?')
    })
    return c.json({ data, next_cursor: null }, 200)
  })

  return router
}
