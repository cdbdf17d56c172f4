import { Hono } from 'hono'
import * as z from 'zod'
import { readCampaign } from '../campaigns/read.ts'
import { campaignParams } from '../campaigns/schema.ts'
import type { AppEnv } from '../http/context.ts'
import { Problem } from '../http/problem.ts'
import { createRouter, operation } from '../http/route.ts'
import { named, time } from '../http/schema.ts'
import type { Services } from '../http/services.ts'
import { log } from '../log.ts'
import { page } from '../pages/answer.ts'
import { REPORT_POLICY, reportPage } from '../pages/report.ts'
import { expiredReportPage, invalidReportPage, reportGonePage, reportLaterPage } from '../pages/report-missing.ts'
import { signTimed, verifyTimed } from '../tokens/timed.ts'
import { reportUrl } from '../tokens/urls.ts'
import { readReport } from './read.ts'

/** A week, and ninety days. */
const HOURS = 168
const MOST_HOURS = 2160
/** In seconds: how often a report comes anew while its campaign is sending. */
const REFRESH = 30

const read = operation(
  { scope: 'read' },
  {
    method: 'get',
    path: '/campaigns/{id}/report',
    tags: ['Campaigns'],
    summary: 'The report, as a page',
    description:
      'Progress, numbers, charts and the mail with the clicks on its links, as one HTML document without scripts. POST /campaigns/{id}/report-link makes an address of it for people who have no API key.',
    request: { params: campaignParams },
    responses: { 200: { description: 'The page', content: { 'text/html': { schema: z.string() } } } },
  },
)

const reportLinkRequest = named(
  'ReportLinkRequest',
  z.strictObject({
    expires_in_hours: z.int().min(1).max(MOST_HOURS).default(HOURS),
  }),
)

const reportLink = named(
  'ReportLink',
  z.strictObject({
    url: z.string().openapi({ description: 'Whoever has it sees the report: it is a secret until it expires' }),
    expires_at: time,
  }),
)

const link = operation(
  { scope: 'read', idempotency: 'needless' },
  {
    method: 'post',
    path: '/campaigns/{id}/report-link',
    tags: ['Campaigns'],
    summary: 'Make a link to the report',
    description:
      'For somebody without an API key. It cannot be taken back before it expires, but for taking the signing key away.',
    request: {
      params: campaignParams,
      body: { required: false, content: { 'application/json': { schema: reportLinkRequest } } },
    },
    responses: { 200: { description: 'The link', content: { 'application/json': { schema: reportLink } } } },
  },
)

/** Reports for callers with an API key. */
export function reportRoutes(services: Services) {
  const { db, signing_keys, public_url } = services
  const router = createRouter()

  router.openapi(read, async (c) => {
    const { id } = c.req.valid('param')
    return answer(reportPage(await readReport(services, id)))
  })

  router.openapi(link, async (c) => {
    const { id } = c.req.valid('param')
    const { expires_in_hours = HOURS } = c.req.valid('json') ?? {}
    await readCampaign(db, id)
    const seconds = Math.floor(services.now().getTime() / 1000) + expires_in_hours * 3600
    const expires_at = new Date(seconds * 1000)
    const token = await signTimed(signing_keys, 'report', { id, expires_at })
    return c.json({ url: reportUrl(public_url, token), expires_at: expires_at.toISOString() }, 200)
  })

  return router
}

/**
 * `/reports/<report token>`: the same for whoever has the link. While its campaign is sending it comes anew by itself, unless
 * it is asked to stand still (`?still`).
 */
export function reportLinkPage(services: Services) {
  const router = new Hono<AppEnv>()
  router.get('/reports/:token', async (c) => {
    const access = await verifyTimed(services.signing_keys, 'report', c.req.param('token'))
    if (!access) return page(404, invalidReportPage())
    if (access.expires_at <= services.now()) return page(410, expiredReportPage())
    const { id: campaign_id } = access
    try {
      const report = await readReport(services, campaign_id)
      const sending = report.campaign.status === 'sending'
      const still = c.req.query('still') !== undefined
      const html = reportPage(report, sending ? { seconds: REFRESH, still } : null)
      return answer(html, sending && !still ? { Refresh: String(REFRESH) } : {})
    } catch (error) {
      if (error instanceof Problem && error.code === 'not_found') return page(410, reportGonePage())
      const { request_id } = c.var
      log('report_failed', { request_id, campaign_id, error: error instanceof Error ? error.name : 'unknown' })
      return page(503, reportLaterPage(), { 'Retry-After': '60' })
    }
  })
  return router
}

const answer = (html: string, headers: Record<string, string> = {}) =>
  page(200, html, { 'Content-Security-Policy': REPORT_POLICY, ...headers })
