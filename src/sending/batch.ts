import { pauseCampaign } from '../campaigns/transitions.ts'
import type { BatchPointer } from '../dispatch/message.ts'
import { dueRows } from '../ledger/due.ts'
import { postponeBatch } from '../ledger/release.ts'
import { BATCH_SIZE } from '../ledger/status.ts'
import { RenderError } from '../render/errors.ts'
import type { LoadedCampaign } from './campaign.ts'
import { returnPermit, waitForPermit } from './permit.ts'
import { BatchRun } from './run.ts'
import { ACK, type Answer, COME_BACK, MENDING, type Sender } from './sender.ts'

/**
 * Sends what is due of one batch: permit, claim, then group by group mark, send, record.
 *
 * @param attempts - deliveries of this pointer so far, as the queue counts them; only spaces out connection attempts
 * @param started - ms at which the invocation began
 */
export async function sendBatch(s: Sender, pointer: BatchPointer, attempts: number, started: number): Promise<Answer> {
  const { campaign_id, batch } = pointer
  let campaign: LoadedCampaign | null
  try {
    campaign = await s.loadCampaign(campaign_id)
  } catch (error) {
    // What compiled at its start does so still, unless this release is stricter than the one that started it.
    if (!(error instanceof RenderError)) throw error
    await pauseCampaign(s.db, campaign_id, `Its content cannot be rendered: ${error.message}. ${MENDING}`)
    return ACK
  }
  if (!campaign) return ACK
  if (!s.sending) {
    await postponeBatch(s.db, campaign_id, batch, COME_BACK)
    return ACK
  }
  const account = s.account(campaign.snapshot.sender.account)
  if (!account) {
    await pauseCampaign(s.db, campaign_id, `No sending account is named "${campaign.snapshot.sender.account ?? ''}".`)
    return ACK
  }
  // Where mails are rationed, a batch asks for those it has; one that has none to send needs no permit.
  const rationed = account.limits.rate_per_second !== null
  const mails = rationed ? await dueRows(s.db, campaign_id, batch) : BATCH_SIZE
  const run = new BatchRun(s, campaign, account, batch, started, mails)
  if (mails === 0) return run.send(attempts)
  const gate = s.gate(account.name)
  const permit = await waitForPermit(gate, mails, account.limits, s.now, s.sleep)
  if (!permit) {
    await postponeBatch(s.db, campaign_id, batch, COME_BACK)
    return ACK
  }
  try {
    if (permit.starts_in_ms > 0) await s.sleep(permit.starts_in_ms)
    return await run.send(attempts)
  } finally {
    await returnPermit(gate, permit.id, mails - run.used, account.limits)
  }
}
