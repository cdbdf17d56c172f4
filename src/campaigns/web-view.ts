import { eq } from 'drizzle-orm'
import { Hono } from 'hono'
import type { Database } from '../db/client.ts'
import type { AppEnv } from '../http/context.ts'
import type { Services } from '../http/services.ts'
import { log } from '../log.ts'
import { page } from '../pages/answer.ts'
import { brokenLinkPage } from '../pages/missing.ts'
import { mailGonePage, mailLaterPage, testMailPage } from '../pages/web-view.ts'
import type { TemplatePerson } from '../render/data.ts'
import { RenderError } from '../render/errors.ts'
import { renderForRecipient } from '../render/recipient.ts'
import { campaignLoader } from '../sending/campaign.ts'
import { subscribers } from '../subscribers/table.ts'
import { NOBODY } from '../tokens/nobody.ts'
import { type Recipient, verifyRecipient } from '../tokens/recipient.ts'

/** A mail: an author's HTML with a subscriber's data in it. It may look as it likes, and do nothing. */
const POLICY = [
  'sandbox allow-popups allow-popups-to-escape-sandbox',
  "default-src 'none'",
  'img-src https: http: data:',
  "style-src 'unsafe-inline' https:",
  'font-src https: data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/**
 * `/v/<view token>`: a mail as its recipient's own page. What the campaign sent, filled in with what is known of them now;
 * its links count as in the mail, looking at it does not. A deleted reader's is gone.
 */
export function webViewPage(services: Services) {
  const { db, signing_keys } = services
  const load = campaignLoader(db)
  const router = new Hono<AppEnv>()

  async function show({ campaign_id, subscriber_id }: Recipient): Promise<Response> {
    if (subscriber_id === NOBODY) return page(200, testMailPage())
    const [campaign, person] = await Promise.all([load(campaign_id), findPerson(db, subscriber_id)])
    if (!campaign || !person) return page(410, mailGonePage())
    const { html } = await renderForRecipient(campaign, { ...person, subscriber_id }, services, false)
    return page(200, html, { 'Content-Security-Policy': POLICY })
  }

  router.get('/v/:token', async (c) => {
    const recipient = await verifyRecipient(signing_keys, 'view', c.req.param('token'))
    if (!recipient) return page(404, brokenLinkPage())
    // The page has their data, and links of today's key to more of it: whoever may have an old key is not to see them.
    if (recipient.state === 'redirect-only') return page(410, mailGonePage())
    try {
      return await show(recipient)
    } catch (error) {
      const { campaign_id, subscriber_id } = recipient
      const { request_id } = c.var
      log('web_view_failed', {
        request_id,
        campaign_id,
        subscriber_id,
        error: error instanceof Error ? error.name : 'unknown',
      })
      if (error instanceof RenderError) return page(410, mailGonePage())
      return page(503, mailLaterPage(), { 'Retry-After': '60' })
    }
  })
  return router
}

async function findPerson(db: Database, id: number): Promise<TemplatePerson | undefined> {
  const { email, first_name, last_name, attributes, timezone, locale } = subscribers
  const [person] = await db
    .select({ email, first_name, last_name, attributes, timezone, locale })
    .from(subscribers)
    .where(eq(subscribers.id, id))
  return person
}
