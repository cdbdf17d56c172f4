import type { FeedbackEvent } from '../feedback/event.ts'
import { recordFeedback } from '../feedback/record.ts'
import type { Verdict } from '../ledger/record.ts'
import { log } from '../log.ts'
import type { Sender } from './sender.ts'

/** What a refusal at the time of sending says that is news: of the address, or of us. */
const KINDS = new Map<string | null, FeedbackEvent['kind']>([
  ['no_such_address', 'hard_bounce'],
  ['blocked', 'blocked'],
])

/**
 * A verdict as news, or null when it is none.
 *
 * @param token - of the claim: a mail that is tried again is refused again
 */
export function refusalNews(
  campaign_id: number,
  recipient: string,
  { subscriber_id, state, reason, answer }: Verdict,
  token: string,
  now: Date,
): FeedbackEvent | null {
  const kind = state === 'failed' ? KINDS.get(reason) : undefined
  if (!kind) return null
  return {
    event_id: `answer:${campaign_id}.${subscriber_id}.${token}`,
    source: 'answer',
    kind,
    campaign_id,
    subscriber_id,
    recipient,
    occurred_at: now.toISOString(),
    diagnostic: answer,
    raw: null,
  }
}

/**
 * Records what was refused, once it is in the ledger. Never throws: the mails are what matters here, and of an address that
 * is lost by an error or a crash the next campaign learns the same again.
 */
export async function recordRefusals({ db }: Pick<Sender, 'db'>, news: readonly FeedbackEvent[]): Promise<void> {
  if (news.length === 0) return
  try {
    await recordFeedback(db, news)
  } catch (error) {
    log('refusals_not_recorded', { count: news.length, error: error instanceof Error ? error.name : 'unknown' })
  }
}
