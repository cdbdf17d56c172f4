import type { Services } from '../http/services.ts'
import { parseAllowlist } from '../sending/allowlist.ts'
import { hashEmail } from '../subscribers/erasure.ts'
import { enqueueSend } from './enqueue.ts'
import { insertSend } from './store.ts'
import type { MailContent } from './table.ts'

export interface SingleMail {
  purpose: 'confirmation' | 'data'
  email: string
  content: MailContent
}

/**
 * Sends one mail to one person, outside of any campaign. It waits in the database; emk-sender carries it.
 *
 * @returns the send's id, and why nothing goes to that address where it is skipped (refusal.ts, or `not_in_allowlist`)
 * @throws what database or queue throw; nothing is sent then
 */
export async function sendMail(
  s: Pick<Services, 'db' | 'hash_key' | 'transactional' | 'recipient_allowlist'>,
  { purpose, email, content }: SingleMail,
): Promise<{ id: number; state: 'queued' | 'skipped'; reason: string | null }> {
  const hash = await hashEmail(s.hash_key, email)
  const outside = parseAllowlist(s.recipient_allowlist)(email) ? null : 'not_in_allowlist'
  const send = await insertSend(s.db, { purpose, campaign_id: null, content, warnings: [] }, [
    { email, hash, reason: outside },
  ])
  await enqueueSend(s, send)
  const [reason = null] = send.reasons
  return { id: send.id, state: reason === null ? 'queued' : 'skipped', reason }
}
