import type { Services } from '../http/services.ts'
import { checkAccount } from '../senders/account.ts'
import { findSender } from '../senders/store.ts'
import type { CampaignContent } from './store.ts'

type Named = Pick<CampaignContent, 'account' | 'sender_id'>

/**
 * Refuses a campaign's own sending account that does not exist, or may not send from its sender's address. The sender's own
 * was looked at when the sender was saved, and is once more when the campaign starts.
 *
 * @param content - what the caller sends
 * @param before - the campaign as it is, for a change of some fields
 * @throws {Problem} validation_failed
 */
export async function checkCampaignAccount(
  { db, sender: sending }: Pick<Services, 'db' | 'sender'>,
  content: Partial<Named>,
  before: Partial<Named> = {},
): Promise<void> {
  const { account = null, sender_id } = { ...before, ...content }
  if (account === null || sender_id === undefined) return
  const sender = await findSender(db, sender_id)
  if (!sender) return
  const field = content.account === undefined ? 'sender_id' : 'account'
  await checkAccount(sending, { account, from_email: sender.from_email }, field)
}
