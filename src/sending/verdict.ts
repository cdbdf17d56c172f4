import type { ClaimedRow } from '../ledger/claim.ts'
import type { Verdict } from '../ledger/record.ts'
import type { Outcome } from '../providers/provider.ts'
import { backoff } from './backoff.ts'

/** An unsubscribe on its way to SQL holds its row back this long, in seconds: by then the flush has it. */
const OPTOUT_DELAY = 120

const NOTHING = { reason: null, answer: null, delay_seconds: null, provider_message_id: null }

/** A row that must not be mailed any more. */
export const skip = (row: ClaimedRow, reason: string): Verdict => ({
  ...NOTHING,
  subscriber_id: row.subscriber_id,
  state: 'skipped',
  reason,
})

/** A row that can never be sent as it is; `answer` says why. */
export const fail = (row: ClaimedRow, reason: string, answer: string): Verdict => ({
  ...NOTHING,
  subscriber_id: row.subscriber_id,
  state: 'failed',
  reason,
  answer,
})

/** A row that was marked and surely not sent, as if nothing had happened. */
export const putBack = (row: ClaimedRow): Verdict => ({
  ...NOTHING,
  subscriber_id: row.subscriber_id,
  state: 'pending',
})

/** A row whose unsubscribe may not be in SQL yet. */
export const hold = (row: ClaimedRow): Verdict => ({
  ...NOTHING,
  subscriber_id: row.subscriber_id,
  state: 'deferred',
  reason: 'unsubscribe_pending',
  delay_seconds: OPTOUT_DELAY,
})

/**
 * What a provider's outcome means for the ledger.
 *
 * @param random - 0 to 1, spreads retries
 */
export function judge(row: ClaimedRow, outcome: Outcome, random: number): Verdict {
  const base = { ...NOTHING, subscriber_id: row.subscriber_id, answer: outcome.answer }
  switch (outcome.kind) {
    case 'sent':
      return { ...base, state: 'sent', provider_message_id: outcome.provider_message_id ?? null }
    case 'never':
      return { ...base, state: 'failed', reason: refusalReason(outcome) }
    case 'unknown':
      return { ...base, state: 'unconfirmed', reason: 'no_answer' }
    case 'stop':
      return { ...base, state: 'pending' }
    case 'later': {
      if (outcome.untried) return { ...base, state: 'pending' }
      const delay_seconds = backoff(row.attempts + 1, outcome.delay_seconds, random)
      if (delay_seconds === null) return { ...base, state: 'failed', reason: 'gave_up' }
      return { ...base, state: 'deferred', reason: 'try_again', delay_seconds }
    }
  }
}

/**
 * A row that was refused with all others, for the account's sake: due at once, for the next account or once its owner has
 * seen to it. It costs an attempt all the same: a few recipients whose own server refuses us, and who are all that is left,
 * look just like that, and would stop their campaign each time it is resumed.
 */
export function handOn(row: ClaimedRow, outcome: Outcome, random: number): Verdict {
  if (backoff(row.attempts + 1, undefined, random) === null) return judge(row, outcome, random)
  const base = { ...NOTHING, subscriber_id: row.subscriber_id, answer: outcome.answer }
  return { ...base, state: 'deferred', reason: 'try_again', delay_seconds: 0 }
}

/** What is wrong: the address, we or what we send, or something that only the answer says. */
export function refusalReason({ dead, policy }: { dead: boolean; policy?: true }): string {
  if (dead) return 'no_such_address'
  return policy ? 'blocked' : 'refused'
}
