// The ramp of a new account: mailbox providers distrust an address or domain that begins with a hundred thousand mails.
import type { WarmUp } from './account.ts'

/**
 * Mails a day for an account that says only when it begins: the schedule that is widely given for a new dedicated address and
 * goes back to SendGrid's guide (twilio.com/docs/sendgrid/concepts/reputation/warm-up-ip-addresses). No mailbox provider
 * publishes one. It is the quick end of what is advised, for lists that want the mail; who sees deferrals gives a slower one.
 */
export const DEFAULT_RAMP: readonly number[] = [
  50, 100, 500, 1_000, 5_000, 10_000, 20_000, 40_000, 70_000, 100_000, 150_000, 250_000, 400_000, 600_000, 1_000_000,
]

const DAY = 86_400_000

export const rampOf = ({ per_day }: WarmUp): readonly number[] => per_day ?? DEFAULT_RAMP

/**
 * Mails that a warm-up allows on the UTC day of `now`. Before its first day it is as on that; null once it is through.
 */
export function warmUpCap(warm_up: WarmUp, now: Date): number | null {
  const ramp = rampOf(warm_up)
  const day = Math.floor((now.getTime() - Date.parse(`${warm_up.from}T00:00:00Z`)) / DAY)
  return ramp[Math.max(0, day)] ?? null
}

/**
 * The mails of 24 hours that an account may send as of now: the lower of its own limit and what its warm-up allows today.
 * The gate holds it against any 24 hours, so that the evening of one day and the morning of the next are not two days' worth.
 */
export function capOf(
  account: { per_day?: number | null | undefined; warm_up?: WarmUp | null | undefined },
  now: Date,
): number | null {
  const ramp = account.warm_up ? warmUpCap(account.warm_up, now) : null
  const own = account.per_day ?? null
  return own === null ? ramp : ramp === null ? own : Math.min(own, ramp)
}
