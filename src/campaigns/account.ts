import { sql } from 'drizzle-orm'
import type { Services } from '../http/services.ts'
import { log } from '../log.ts'
import { candidateAccounts } from '../providers/candidates.ts'
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

/**
 * Has the accounts of a campaign that is resumed tried at once if they were held back as down: its owner has seen to what was
 * wrong. If the sending Worker cannot be asked, they are tried in their own time.
 */
export async function reopenAccountsOf({ db, sender: sending }: Pick<Services, 'db' | 'sender'>, id: number) {
  const { rows } = await db.execute<{ account: string | null; from_email: string }>(sql`
    select snapshot -> 'sender' ->> 'account' as account, snapshot -> 'sender' ->> 'from_email' as from_email
    from campaigns where id = ${id} and snapshot is not null`)
  const [from] = rows
  if (!from) return
  try {
    const accounts = candidateAccounts(await sending.listAccounts(), from.account, from.from_email)
    const down = accounts.filter(({ standing }) => standing?.down).map(({ name }) => name)
    if (down.length > 0) await sending.reopenAccounts(down)
  } catch (error) {
    log('accounts_not_reopened', { campaign_id: id, error: error instanceof Error ? error.name : 'unknown' })
  }
}
