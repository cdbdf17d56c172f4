import { log } from '../log.ts'
import { NOBODY } from '../tokens/nobody.ts'
import type { Recipient } from '../tokens/recipient.ts'
import { bufferUnsubscribe } from '../tracking/buffer.ts'
import { RULES_VERSION } from '../tracking/rules.ts'
import { isNullSender } from './dsn-mail.ts'
import type { InboundMail, Receiver } from './inbound.ts'

/**
 * A mail to the `mailto:` of List-Unsubscribe (RFC 2369): whoever sends one leaves the campaign's lists, by the same event as
 * from the unsubscribe page. Its text does not matter.
 *
 * @param recipient - whom the address names; null when it is not one of ours
 * @throws when the opt-out cannot be kept anywhere now: the mail comes again
 */
export async function unsubscribeByMail(
  receiver: Receiver,
  mail: InboundMail,
  recipient: Recipient | null,
): Promise<void> {
  if (isAutomatic(mail)) return log('unsubscribe_mail_dropped', { reason: 'automatic' })
  if (recipient === null) {
    log('unsubscribe_mail_refused', { reason: 'forged' })
    // Nobody may believe to have left who has not.
    mail.setReject('This unsubscribe address is not valid. Please use the unsubscribe link in the mail.')
    return
  }
  const { campaign_id, subscriber_id } = recipient
  if (subscriber_id === NOBODY) return
  const kept = await bufferUnsubscribe(receiver.unsubscribes, {
    event_id: receiver.uuid(),
    kind: 'unsubscribe',
    campaign_id,
    subscriber_id,
    link: 0,
    scope: 'lists',
    occurred_at: receiver.now().toISOString(),
    method: 'POST',
    asn: null,
    agent: 'mail',
    country: null,
    region: null,
    device: null,
    client: null,
    verdict: 'human',
    reason: null,
    rules: RULES_VERSION,
  })
  if (!kept) throw new Error('the unsubscribe could not be kept')
  log('unsubscribed_by_mail', { campaign_id, subscriber_id })
}

/**
 * Whether nobody wrote it: a bounce, a vacation notice, a list's post. What a mail program writes on its owner's word may
 * call itself `auto-generated` (RFC 3834, section 5), which an answer never is.
 */
function isAutomatic({ from, headers }: InboundMail): boolean {
  if (isNullSender(from)) return true
  const auto_submitted = headers.get('auto-submitted')?.trim() ?? ''
  return (
    (auto_submitted !== '' && !/^(?:no|auto-generated)\b/i.test(auto_submitted)) ||
    headers.has('x-autoreply') ||
    headers.has('x-autorespond') ||
    /^(?:auto[_-]?reply|bulk|junk|list)\b/i.test(headers.get('precedence')?.trim() ?? '') ||
    /^multipart\/report\b/i.test(headers.get('content-type')?.trim() ?? '')
  )
}
