import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import type { Services } from '../http/services.ts'
import { log } from '../log.ts'
import type { Brand } from '../pages/brand.ts'
import type { Words } from '../pages/words/words.ts'
import { signTimed } from '../tokens/timed.ts'
import { dataUrl } from '../tokens/urls.ts'
import { findNoticeSender, type NoticeSender, noticeContent } from '../transactional/notice-sender.ts'
import { sendMail } from '../transactional/send-mail.ts'
import type { Preferences } from './state.ts'

/** In ms. */
const LINK_LASTS = 24 * 3_600_000
/** Mails about their data that somebody may have sent to themselves within a day. */
const MOST_A_DAY = 3

/** `limit`: they have had enough of these mails. `unreachable`: nothing can be sent to them, or by us. */
export type DataRequest = 'sent' | 'limit' | 'unreachable'

interface Asking {
  what: 'export' | 'erase'
  /** Whose mail brought them here. */
  campaign_id: number
  brand: Brand
  words: Words
}

/**
 * Sends somebody the link by which they get their data, or have it erased: whoever holds a mail that was passed on to them
 * has the link to the page, and not that mailbox.
 */
export async function requestData(
  s: Services,
  p: Preferences,
  { what, campaign_id, brand, words }: Asking,
): Promise<DataRequest> {
  const list_ids = p.lists.filter(({ standing }) => standing !== null).map(({ id }) => id)
  const sender = (await findNoticeSender(s.db, list_ids)) ?? (await senderOf(s.db, campaign_id, brand))
  if (!sender) {
    log('data_mail_without_sender', { subscriber_id: p.subscriber_id })
    return 'unreachable'
  }
  if (!(await mayAsk(s.db, p.subscriber_id))) return 'limit'
  const expires_at = new Date(s.now().getTime() + LINK_LASTS)
  const purpose = what === 'export' ? 'export data' : 'erase data'
  const token = await signTimed(s.signing_keys, purpose, { id: p.subscriber_id, expires_at })
  const w = words.data
  const content = noticeContent(sender, {
    language: words.language,
    subject: what === 'export' ? w.export_subject : w.erase_subject,
    paragraphs: [what === 'export' ? w.export_mail : w.erase_mail],
    button: {
      label: what === 'export' ? w.export_mail_button : w.erase_mail_button,
      url: `${dataUrl(s.public_url, what, token)}?lang=${words.language}`,
    },
    small: w.mail_small,
  })
  const { state, reason } = await sendMail(s, { purpose: 'data', email: p.email, content })
  log('data_requested', { subscriber_id: p.subscriber_id, what, state, reason })
  return state === 'queued' ? 'sent' : 'unreachable'
}

/**
 * Counts a request if there may be one more. One statement, whose condition is tested on the newest row: of two at once the
 * second sees the first.
 */
async function mayAsk(db: Database, subscriber_id: number): Promise<boolean> {
  const { rows } = await db.execute(sql`
    insert into data_requests as r (subscriber_id, asked_at) values (${subscriber_id}, array[now()])
    on conflict (subscriber_id) do update set
      asked_at = array(select t from unnest(r.asked_at) as t where t > now() - interval '1 day') || now()
    where (select count(*) from unnest(r.asked_at) as t where t > now() - interval '1 day') < ${MOST_A_DAY}
    returning r.subscriber_id`)
  return rows.length > 0
}

/** Whose mail they got, where neither their lists nor the settings name anybody. */
async function senderOf(db: Database, campaign_id: number, brand: Brand): Promise<NoticeSender | null> {
  const { rows } = await db.execute<Omit<NoticeSender, 'brand'> & Record<string, unknown>>(sql`
    select s.from_name, s.from_email, s.reply_to, s.postal_address, s.account
    from campaigns c join senders s on s.id = c.sender_id where c.id = ${campaign_id}`)
  const [sender] = rows
  return sender ? { ...sender, brand } : null
}
