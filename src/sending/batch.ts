import { pauseIfFailing } from '../campaigns/failure-share.ts'
import { noteCampaign, pauseCampaign } from '../campaigns/transitions.ts'
import type { BatchPointer } from '../dispatch/message.ts'
import { dueRows } from '../ledger/due.ts'
import { postponeBatch } from '../ledger/postpone.ts'
import { BATCH_SIZE } from '../ledger/status.ts'
import { log } from '../log.ts'
import { RenderError } from '../render/errors.ts'
import type { LoadedCampaign } from './campaign.ts'
import { findPermit, takeover } from './choose.ts'
import { returnPermit } from './permit.ts'
import { recordRefusals } from './refusals.ts'
import { BatchRun, type Ended } from './run.ts'
import { ACK, type Answer, COME_BACK, type Invocation, MENDING, type Sender, type SendingAccount } from './sender.ts'

/**
 * Sends what is due of one batch: permit, claim, then group by group mark, send, record. The first of the campaign's
 * accounts that is not down carries it; what an account that fails leaves behind, the next claim gives to the next one.
 *
 * @param attempts - deliveries of this pointer so far, as the queue counts them; only spaces out connection attempts
 */
export async function sendBatch(
  s: Sender,
  pointer: BatchPointer,
  attempts: number,
  invocation: Invocation,
): Promise<Answer> {
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
  const { account: named, from_email } = campaign.snapshot.sender
  const accounts = s.candidates(named, from_email)
  const [first] = accounts
  if (!first) {
    await pauseCampaign(s.db, campaign_id, noAccount(named, from_email))
    return ACK
  }
  const mails = accounts.some(isRationed) ? await dueRows(s.db, campaign_id, batch) : BATCH_SIZE
  if (mails === 0) {
    // Rows to be settled or nothing at all: it takes no permit to find out.
    const { answer } = await new BatchRun(s, campaign, first, batch, null, invocation).send(attempts)
    return answer
  }
  const found = await findPermit(s, accounts, { mails })
  if (!('permit' in found)) {
    if (found.reason) await noteCampaign(s.db, campaign_id, `Account ${found.account}: ${found.reason}`)
    await postponeBatch(s.db, campaign_id, batch, Math.max(Math.ceil(found.wait_ms / 1000), 1))
    return ACK
  }
  const { account, permit } = found
  const run = new BatchRun(s, campaign, account, batch, permit, invocation)
  let ended: Ended
  try {
    if (permit.starts_in_ms > 0) await s.sleep(permit.starts_in_ms)
    ended = await run.send(attempts)
  } finally {
    await returnPermit(s.gate(account.name), permit.id, run.report, account.limits)
  }
  if (run.failed > 0) {
    const { pause_failure_share: share, pause_failure_least: least } = s.settings
    if (await pauseIfFailing(s.db, campaign_id, { share, least })) log('campaign_failing', { campaign_id })
  }
  await recordRefusals(s, run.refusals)
  if (ended.stop !== null) return await afterStop(s, pointer, accounts, account, ended.stop)
  // Where another account may stand in, a silent one is soon known to be down.
  const retry = 'retry_seconds' in ended.answer && run.report.silent > 0 && accounts.length > 1
  return retry ? { retry_seconds: NEXT_ACCOUNT } : ended.answer
}

/** After an account failed, another of its pool is tried so soon. In seconds. */
const NEXT_ACCOUNT = 5

/** Where mails are counted, a batch asks for those it has, so that no other waits for what it does not use. */
const isRationed = ({ limits, provider }: SendingAccount) =>
  limits.rate_per_second !== null || limits.per_day !== null || provider.quota !== undefined

const noAccount = (named: string | null, from_email: string) => {
  const domain = from_email.slice(from_email.lastIndexOf('@') + 1)
  return named === null
    ? `No sending account may send from ${domain}: add the domain to its from_domains in ACCOUNTS, then resume.`
    : `No sending account named "${named}" may send from ${domain}: see ACCOUNTS and its from_domains, then resume.`
}

/** The account refuses us. Another of its pool goes on; only when none is left the campaign pauses. */
async function afterStop(
  s: Sender,
  { campaign_id, batch }: BatchPointer,
  accounts: readonly SendingAccount[],
  failed: SendingAccount,
  answer: string,
): Promise<Answer> {
  const { next, reasons } = await takeover(s, accounts, failed)
  if (next !== null) {
    log('account_failed_over', { campaign_id, batch, account: failed.name, next })
    return { retry_seconds: 1 }
  }
  const reason = [`Account ${failed.name}: ${answer}`, ...reasons].join('; ')
  if (await pauseCampaign(s.db, campaign_id, reason)) log('campaign_paused', { campaign_id, account: failed.name })
  return ACK
}
