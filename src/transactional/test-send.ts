import { eq, sql } from 'drizzle-orm'
import { missingFrom } from '../campaigns/check/compliance.ts'
import { readPlan, snapshotOf } from '../campaigns/plan.ts'
import type { Snapshot } from '../campaigns/snapshot.ts'
import type { Database } from '../db/client.ts'
import { type FieldError, invalidField, notFound, Problem } from '../http/problem.ts'
import type { Services } from '../http/services.ts'
import type { Mail } from '../providers/provider.ts'
import type { TemplatePerson } from '../render/data.ts'
import { RenderError } from '../render/errors.ts'
import { prepareContent } from '../render/render.ts'
import { parseAllowlist } from '../sending/allowlist.ts'
import { composeMail } from '../sending/compose.ts'
import { hashEmail } from '../subscribers/erasure.ts'
import { subscribers } from '../subscribers/table.ts'
import { NOBODY } from '../tokens/nobody.ts'
import { enqueueSend } from './enqueue.ts'
import { insertSend } from './store.ts'
import type { MailContent } from './table.ts'

export interface TestSendRequest {
  recipients: readonly string[]
  subscriber_id?: number | undefined
  data?: { [Field in keyof TemplatePerson]?: TemplatePerson[Field] | undefined } | undefined
}

/** Whom a test is rendered for when the caller says nothing else. */
const SAMPLE: TemplatePerson = {
  email: 'ada.lovelace@example.com',
  first_name: 'Ada',
  last_name: 'Lovelace',
  attributes: {},
  timezone: 'Europe/London',
  locale: 'en-GB',
}

/**
 * Sends a campaign's mail to a few addresses, as it is now: a draft's with its template's and sender's present state, a
 * started one's from its snapshot. It is made here and waits in the database; emk-sender carries it. Its links, picture
 * and unsubscribe address are like everybody's, but belong to nobody: they record nothing and unsubscribe nobody.
 *
 * @returns the id to ask for
 * @throws {Problem} not_found, validation_failed, campaign_not_ready when the mail cannot be rendered
 */
export async function sendTest(s: Services, campaign_id: number, request: TestSendRequest): Promise<number> {
  const snapshot = await contentOf(s, campaign_id)
  const mail = await compose(s, snapshot, await personFor(s.db, request))
  const allowed = parseAllowlist(s.recipient_allowlist)
  const mails = await Promise.all(
    request.recipients.map(async (email) => ({
      email,
      hash: await hashEmail(s.hash_key, email),
      reason: allowed(email) ? null : 'not_in_allowlist',
    })),
  )
  const { to: _to, date: _date, message_id: _id, ...rest } = mail
  const content: MailContent = {
    ...rest,
    account: snapshot.sender.account,
    subject: `[Test] ${mail.subject}`,
    headers: [...mail.headers, ['X-EMK-Test', `campaign-${campaign_id}`]],
  }
  const send = await insertSend(
    s.db,
    { purpose: 'test', campaign_id, content, warnings: warningsOf(snapshot, mail) },
    mails,
  )
  await enqueueSend(s, send)
  return send.id
}

async function contentOf(s: Services, campaign_id: number): Promise<Snapshot> {
  const { rows } = await s.db.execute<{ snapshot: Snapshot | null }>(
    sql`select snapshot from campaigns where id = ${campaign_id}`,
  )
  const [row] = rows
  if (row?.snapshot) return row.snapshot
  const plan = row && (await readPlan(s.db, campaign_id))
  if (!plan) throw notFound('campaign', campaign_id)
  if (plan.template_deleted) throw notReady('template_id', 'the template was deleted')
  return snapshotOf(s, plan)
}

async function personFor(db: Database, { subscriber_id, data = {} }: TestSendRequest): Promise<TemplatePerson> {
  if (subscriber_id !== undefined) {
    const { email, first_name, last_name, attributes, timezone, locale } = subscribers
    const [person] = await db
      .select({ email, first_name, last_name, attributes, timezone, locale })
      .from(subscribers)
      .where(eq(subscribers.id, subscriber_id))
    if (!person) throw invalidField('subscriber_id', `names no subscriber: there is no subscriber ${subscriber_id}`)
    return person
  }
  const given = Object.fromEntries(Object.entries(data).filter(([, value]) => value !== undefined))
  return { ...SAMPLE, ...given }
}

async function compose(s: Services, snapshot: Snapshot, person: TemplatePerson): Promise<Mail> {
  try {
    const campaign = { id: snapshot.campaign.id, snapshot, renderer: prepareContent(snapshot) }
    return await composeMail(campaign, { ...person, subscriber_id: NOBODY }, s, s.now(), undefined)
  } catch (error) {
    if (!(error instanceof RenderError)) throw error
    throw notReady('template_id', `it cannot be rendered with this data: ${error.message}`)
  }
}

const notReady = (field: string, detail: string) =>
  new Problem('campaign_not_ready', detail, { errors: [{ field, detail }] })

function warningsOf({ sender }: Snapshot, mail: Mail): FieldError[] {
  const listed = mail.headers.find(([name]) => name === 'List-Unsubscribe')?.[1] ?? ''
  const unsubscribe_url = /^<([^>]+)>/.exec(listed)?.[1] ?? ''
  const warnings = missingFrom(mail, sender.postal_address, unsubscribe_url)
  if (!mail.subject) warnings.unshift({ field: 'subject', detail: 'the subject is empty with this data' })
  return warnings
}
