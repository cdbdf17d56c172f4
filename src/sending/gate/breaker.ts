// The circuit breaker: an account that refuses us or stays silent is left alone, then tried by one permit at a time.
import type { Report } from '../permit.ts'

export interface Breaker {
  /** Mails and connections without an answer, in a row over all reports. */
  silent: number
  open: Open | null
  /** The service said itself how long it takes nothing (a daily quota is full): no failure, and no trial afterwards. */
  rest: { until: number; reason: string } | null
}

export interface Open {
  reason: string
  /** Ms of this pause; the next is twice as long. */
  pause: number
  /** Ms since 1970 from which on it is tried. */
  until: number
  /** The permit that tries it. */
  probe: string | null
}

/** What the breaker says to whoever asks for a permit. */
export type Passage = { may: 'send' } | { may: 'try' } | { may: 'wait'; wait_ms: number; reason: string }

const SILENT_IN_A_ROW = 3
const FIRST_PAUSE = 60_000
const LONGEST_PAUSE = 15 * 60_000
/** Who asks while another permit tries the account comes back after this. In ms. */
const PROBE_WAIT = 5000
/** Asked to wait this long, it is the day that is full, not the moment that was too fast. In seconds. */
const LONG_WAIT = 600
/** A service is not believed beyond this. In seconds. */
const LONGEST_WAIT = 3600

export const freshBreaker = (): Breaker => ({ silent: 0, open: null, rest: null })

export function passage({ open, rest }: Breaker, now: number): Passage {
  if (rest && rest.until > now) return { may: 'wait', wait_ms: rest.until - now, reason: rest.reason }
  if (!open) return { may: 'send' }
  if (open.until > now) return { may: 'wait', wait_ms: open.until - now, reason: open.reason }
  return open.probe === null ? { may: 'try' } : { may: 'wait', wait_ms: PROBE_WAIT, reason: open.reason }
}

/** What an account that is down answered, and ms until it is tried; null for one that is not. */
export function downNow(breaker: Breaker, now: number): { reason: string; retry_in_ms: number } | null {
  const { open } = breaker
  const rest = breaker.rest && breaker.rest.until > now ? breaker.rest : null
  if (!open && !rest) return null
  return {
    reason: rest?.reason ?? open?.reason ?? '',
    retry_in_ms: Math.max(0, (rest?.until ?? 0) - now, (open?.until ?? 0) - now),
  }
}

/** Learns from what became of a permit. */
export function judgeReport(breaker: Breaker, id: string, report: Report, now: number): void {
  const { open } = breaker
  const probe = open?.probe === id
  if (report.throttled > 0 && asksForRest(report)) {
    const seconds = Math.min(report.throttled_seconds ?? 0, LONGEST_WAIT)
    breaker.rest = { until: now + seconds * 1000, reason: report.trouble ?? `It takes no mail for ${seconds} seconds.` }
  }
  const answered = report.sent > 0 || report.throttled > 0 || report.used > report.silent
  breaker.silent = (answered ? 0 : breaker.silent) + report.silent
  const reason = report.stop ?? report.trouble ?? open?.reason ?? 'It does not answer.'
  const failed = report.stop !== null || (report.silent > 0 && breaker.silent >= SILENT_IN_A_ROW)
  if (!open) {
    if (failed) breaker.open = { reason, pause: FIRST_PAUSE, until: now + FIRST_PAUSE, probe: null }
  } else if (probe) {
    if (failed || (report.silent > 0 && report.sent === 0)) failProbe(open, reason, now)
    else if (report.used > 0) breaker.open = null
    // Nothing was due after all: the next one tries.
    else open.probe = null
  } else if (report.stop !== null) {
    open.reason = report.stop
  }
}

/** Whether a throttling answer is about the day rather than the moment. */
export function asksForRest(report: Report): boolean {
  return (report.throttled_seconds ?? 0) >= LONG_WAIT
}

/** A permit ended by itself. If it was to try the account, that counts as silence. */
export function judgeLost({ open }: Breaker, id: string, ended: number): void {
  if (open?.probe === id) failProbe(open, open.reason, ended)
}

function failProbe(open: Open, reason: string, now: number): void {
  open.reason = reason
  open.pause = Math.min(open.pause * 2, LONGEST_PAUSE)
  open.until = now + open.pause
  open.probe = null
}
