// When the rate allows the next mails: permits are promised starts one after the other, and throttling lowers the rate.
import type { Held } from './held.ts'

export interface Pace {
  /** Ms from which on the rate has promised nobody anything. */
  free_at: number
  /** The same among those who go ahead: they pass the others, not one another. */
  ahead_at: number
  lowered: Lowered | null
  /** Mails sent and ms that connections were held for it, the older the less they count: how fast one connection goes. */
  sent: number
  busy_ms: number
  metered_at: number
}

/** The rate after the service asked to slow down. */
export interface Lowered {
  /** Mails a second at `at`; a quarter more each minute since. */
  rate: number
  at: number
  /** What it went at when it was first throttled. */
  from: number
  lowered_at: number
}

/** Starts are promised at most this far ahead; whoever would wait longer comes back later. In ms. */
export const HORIZON = 60_000
/** Throttling answers within this time are one event. In ms. */
const ONE_EVENT = 10_000
/** Growth of a lowered rate in each minute without throttling. */
const RECOVERY = 1.25
/** No throttling lowers the rate below this many mails a second. */
const SLOWEST = 0.1
/** An account without a limit starts at this many mails a second at least when it is first throttled. */
const SLOWEST_AT_FIRST = 1
/** What was sent so long ago counts half for how fast a connection goes. In ms. */
const HALF_LIFE = 10_000

export const freshPace = (): Pace => ({ free_at: 0, ahead_at: 0, lowered: null, sent: 0, busy_ms: 0, metered_at: 0 })

/**
 * Mails a second that the account goes at now.
 * @param limit configured or the service's own; null for none
 */
export function rateNow(pace: Pace, limit: number | null, now: number): { rate: number | null; lowered: boolean } {
  if (!pace.lowered) return { rate: limit, lowered: false }
  const rate = recovered(pace.lowered, now)
  if (rate >= (limit ?? pace.lowered.from * 2)) return { rate: limit, lowered: false }
  return { rate, lowered: true }
}

function recovered({ rate, at }: Lowered, now: number): number {
  return rate * RECOVERY ** ((now - at) / 60_000)
}

/** The start that the next permit would get. In ms since 1970. */
export function nextStart(pace: Pace, rate: number | null, ahead: boolean, now: number): number {
  return rate === null ? now : Math.max(now, ahead ? pace.ahead_at : pace.free_at)
}

/** Promises mails their start. Those who go ahead start beside what others were promised; who comes next makes up for it. */
export function promise(
  pace: Pace,
  mails: number,
  rate: number | null,
  ahead: boolean,
  now: number,
): Pick<Held, 'starts' | 'rate' | 'until' | 'ahead_until'> {
  const starts = nextStart(pace, rate, ahead, now)
  if (rate === null) return { starts, rate, until: 0, ahead_until: 0 }
  const takes = (mails / rate) * 1000
  pace.free_at = Math.max(now, pace.free_at) + takes
  if (ahead) pace.ahead_at = starts + takes
  return { starts, rate, until: pace.free_at, ahead_until: ahead ? pace.ahead_at : 0 }
}

/**
 * Mails that were promised a start and not sent go back if nobody was promised a later start: to begin earlier than promised
 * is too late for others, and to begin beside them would double the rate.
 */
export function refund(pace: Pace, permit: Held, unused: number): void {
  if (permit.rate === null || unused <= 0) return
  const takes = (unused / permit.rate) * 1000
  if (permit.until === pace.free_at) pace.free_at -= takes
  if (permit.ahead_until === pace.ahead_at) pace.ahead_at -= takes
}

/** Notes how fast a permit's holder went. */
export function meter(pace: Pace, permit: Held, sent: number, now: number): void {
  const weight = 0.5 ** ((now - pace.metered_at) / HALF_LIFE)
  pace.sent = pace.sent * weight + sent
  pace.busy_ms = pace.busy_ms * weight + Math.max(1000, now - permit.starts)
  pace.metered_at = now
}

/**
 * The service asked to slow down: the rate goes down by the share of mails that it did not take, by half at most, and its
 * recovery begins anew. So it comes to rest at what the service takes, and a single answer among many costs little. A
 * permit from before the last time only repeats what led to it.
 * @param share of what was answered, over 0 to 1
 * @param connections in use when it happened
 */
export function slowDown(
  pace: Pace,
  permit: Held,
  share: number,
  limit: number | null,
  connections: number,
  now: number,
): void {
  const { rate, lowered } = rateNow(pace, limit, now)
  const last = lowered ? pace.lowered : null
  if (last && (permit.granted < last.lowered_at || now - last.lowered_at < ONE_EVENT)) {
    pace.lowered = { ...last, rate: rate ?? last.rate, at: now }
    return
  }
  const went = rate ?? Math.max(measured(pace, connections), SLOWEST_AT_FIRST * 2)
  pace.lowered = {
    rate: Math.max(went * Math.max(0.5, 1 - share), Math.min(SLOWEST, went)),
    at: now,
    from: Math.max(went, last?.from ?? 0),
    lowered_at: now,
  }
}

function measured({ sent, busy_ms }: Pace, connections: number): number {
  return busy_ms > 0 ? (sent / busy_ms) * 1000 * connections : 0
}
