// The contract between whoever sends and an account's gate, and the waiting that goes with it.
import { log } from '../log.ts'
import type { AccountSummary } from '../providers/account.ts'
import type { Quota } from '../providers/provider.ts'

/** What an account allows; comes from its configuration with every call, so a new deployment takes effect at once. */
export interface AccountLimits {
  max_connections: number
  /** Mails a second; null for no limit of ours. */
  rate_per_second: number | null
  /** Mails in any 24 hours; null for no limit of ours. */
  per_day: number | null
}

/** What a permit is asked for. */
export interface Asking {
  mails: number
  limits: AccountLimits
  /** The permit ends by itself so long after its start, unless it is extended: a sender may have died. In ms. */
  hold_ms: number
  /** Single mails that no campaign may hold up: they go first, and have a share of the day kept for them. */
  ahead?: true
}

/** One connection, and the right to send up to `mails` mails from `starts_in_ms` on. */
export interface Permit {
  id: string
  /** As many as were asked for, or fewer: what is left of the day. */
  mails: number
  starts_in_ms: number
  /** Mails a second the whole account goes at now; null for no limit. What the permit's holder keeps to by itself. */
  rate_per_second: number | null
  /** The gate wants to be told what the service itself says this account may send (`learn`). */
  learn: boolean
}

/**
 * What holds an account up.
 * - `connections`: all of `max_connections` are in use
 * - `rate`: the configured mails a second, or the service's own
 * - `throttled`: the service asked to slow down; the rate recovers by itself
 * - `day`: what may be sent in 24 hours is used up
 * - `down`: it refused us, stayed silent or kept failing; tried again by itself
 */
export const LIMITING_FACTORS = ['connections', 'rate', 'throttled', 'day', 'down'] as const
export type LimitingFactor = (typeof LIMITING_FACTORS)[number]

/** No permit now. */
export interface NoPermit {
  /** Ask again after so many ms. */
  wait_ms: number
  factor: LimitingFactor
  /** For `down`: what it answered. */
  reason: string | null
}

/** What became of a permit: the gate learns from it. */
export interface Report {
  /** Mails handed to the provider; the rest of the permit goes back. */
  used: number
  sent: number
  /** Mails without an answer, connections that could not be opened or were lost: in a row, as they came; any other answer breaks the row. */
  silent: number
  /** Mails answered with "too fast" or "too much". */
  throttled: number
  /** The longest that a throttling answer asked to wait, in seconds. */
  throttled_seconds: number | null
  /** What the account answered that no mail would escape. */
  stop: string | null
  /** The last answer that was neither `sent` nor about one recipient, for a person to read. */
  trouble: string | null
}

/** How an account stands, for a person to read. */
export interface Standing {
  /** In use. */
  connections: number
  /** Mails a second it goes at now; null for no limit. */
  rate_per_second: number | null
  sent_last_day: number
  /** The limit of the day that holds now: the lower of ours and the service's own. */
  per_day: number | null
  /** The service's own limit of the day, if it has lately said one. */
  service_per_day: number | null
  /** What has last held up a sender that asked, if it still does. */
  limited_by: LimitingFactor | null
  down: { reason: string; retry_in_ms: number } | null
}

/** An account as the API shows it: without its secrets, and with how it stands; null when its gate cannot be asked. */
export type AccountState = AccountSummary & { standing: Standing | null }

/** What grants permits: an AccountGate, here or in another Worker's memory. */
export interface Gate {
  take(asking: Asking): Permit | NoPermit | Promise<Permit | NoPermit>
  /** A permit's holder lives. @returns false when it has ended: nothing more may be sent by it */
  extend(id: string, hold_ms: number): boolean | Promise<boolean>
  /** Ends a permit. */
  giveBack(id: string, report: Report, limits: AccountLimits): unknown
  /** The service's own word on what this account may send; null when it could not be had. */
  learn(quota: Quota | null): unknown
  /** Forgets that the account was down, so that it is tried at once: somebody has seen to it. */
  reopen(): unknown
  standing(limits: AccountLimits): Standing | Promise<Standing>
}

/** A batch waits this long for a free connection before it gives its place in the queue back. In ms. */
const PATIENCE = 30_000
/**
 * After a full gate it looks again this soon, then each time after twice as long, up to what the gate says: a connection is
 * free again within a fraction of a second, and many that wait must not ask all the time. In ms.
 */
const FIRST_LOOK = 25

/** A gate that cannot be reached: nothing is sent unthrottled. */
const UNREACHABLE: NoPermit = { wait_ms: 60_000, factor: 'connections', reason: null }

/**
 * Asks an account's gate for a connection and the right to send, waiting a little while all are taken.
 *
 * @returns why there is none to be had, also when the gate cannot be reached
 */
export async function waitForPermit(
  gate: Gate,
  asking: Asking,
  now: () => Date,
  sleep: (ms: number) => Promise<unknown>,
): Promise<Permit | NoPermit> {
  const patience = now().getTime() + PATIENCE
  for (let look = FIRST_LOOK; ; look *= 2) {
    const answer = await askGate(gate, asking)
    if ('id' in answer || answer.factor === 'down' || now().getTime() + answer.wait_ms > patience) return answer
    await sleep(Math.min(answer.wait_ms, look))
  }
}

async function askGate(gate: Gate, asking: Asking): Promise<Permit | NoPermit> {
  try {
    return await gate.take(asking)
  } catch {
    return UNREACHABLE
  }
}

/** Ends a permit; one that cannot be given back ends by itself. */
export async function returnPermit(gate: Gate, id: string, report: Report, limits: AccountLimits): Promise<void> {
  try {
    await gate.giveBack(id, report, limits)
  } catch {
    log('permit_not_returned', {})
  }
}
