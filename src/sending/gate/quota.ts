// What the service itself says this account may send.
import type { Quota } from '../../providers/provider.ts'
import { HOUR } from './day.ts'

export interface Learnt {
  quota: Quota | null
  /** Ms at which it was learnt. */
  learnt_at: number
  /** Mails of permits that ended since. */
  used_since: number
  /** Ms of the last answer, also when it was none, and of the last permit whose holder was to ask. */
  answered_at: number
  asked_at: number
}

/** A word so old is learnt anew. In ms. */
const FRESH = HOUR
/** Who was to ask may have died: another does after this. In ms. */
const ASK_AGAIN = 5 * 60_000
/** A word so old no longer holds: by then it counts other mails, and the account may be another service's. In ms. */
const VALID = 24 * HOUR

export const freshLearnt = (): Learnt => ({ quota: null, learnt_at: 0, used_since: 0, answered_at: 0, asked_at: 0 })

/** Whether whoever gets the next permit should ask the service. */
export function learningDue({ answered_at, asked_at }: Learnt, now: number): boolean {
  return now - answered_at >= FRESH && now - asked_at >= ASK_AGAIN
}

/** @param quota null when the service does not say, or could not be asked: its last word holds on */
export function noteQuota(learnt: Learnt, quota: Quota | null, now: number): void {
  learnt.answered_at = now
  if (!quota) return
  learnt.quota = quota
  learnt.learnt_at = now
  learnt.used_since = 0
}

/** The service's last word, if it still holds; a figure that is not positive (SES says -1 for "unlimited") limits nothing. */
export function quotaNow(learnt: Learnt, now: number): { rate: number | null; per_day: number | null; sent: number } {
  const { quota, learnt_at, used_since } = learnt
  if (!quota || now - learnt_at >= VALID) return { rate: null, per_day: null, sent: 0 }
  return {
    rate: positive(quota.rate_per_second),
    per_day: positive(quota.per_day),
    sent: quota.sent_last_day + used_since,
  }
}

const positive = (value: number): number | null => (value > 0 ? value : null)
