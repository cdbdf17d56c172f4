import { log } from '../log.ts'

/** What an account allows; comes from its configuration with every call, so a new deployment takes effect at once. */
export interface AccountLimits {
  max_connections: number
  /** Mails a second; null for no limit of ours. */
  rate_per_second: number | null
}

/** One connection, and the right to send so many mails from `starts_in_ms` on. */
export interface Permit {
  id: string
  starts_in_ms: number
}

/** What grants permits: an AccountGate, here or in another Worker's memory. */
export interface Gate {
  /** @returns a permit, or the ms after which to ask again */
  take(mails: number, limits: AccountLimits): Permit | { wait_ms: number } | Promise<Permit | { wait_ms: number }>
  /** Ends a permit; `unused` mails of it go back. */
  giveBack(id: string, unused: number, limits: AccountLimits): unknown
}

/** A gate that also lets single mails go ahead of campaigns. */
export interface PriorityGate extends Gate {
  takeAhead(mails: number, limits: AccountLimits): Permit | { wait_ms: number } | Promise<Permit | { wait_ms: number }>
}

/** A batch waits this long for a free connection before it gives its place in the queue back. In ms. */
const PATIENCE = 30_000
/**
 * After a full gate it looks again this soon, then each time after twice as long, up to what the gate says: a connection is
 * free again within a fraction of a second, and many that wait must not ask all the time. In ms.
 */
const FIRST_LOOK = 25

/**
 * Asks an account's gate for a connection and the right to send `mails`, waiting a little while all are taken.
 *
 * @returns null when there is none to be had, also when the gate cannot be reached: never unthrottled
 */
export async function waitForPermit(
  gate: Gate,
  mails: number,
  limits: AccountLimits,
  now: () => Date,
  sleep: (ms: number) => Promise<unknown>,
): Promise<Permit | null> {
  const patience = now().getTime() + PATIENCE
  for (let look = FIRST_LOOK; ; look *= 2) {
    const answer = await askGate(gate, mails, limits)
    if (!answer) return null
    if ('id' in answer) return answer
    if (now().getTime() + answer.wait_ms > patience) return null
    await sleep(Math.min(answer.wait_ms, look))
  }
}

async function askGate(gate: Gate, mails: number, limits: AccountLimits) {
  try {
    return await gate.take(mails, limits)
  } catch {
    return null
  }
}

/** Ends a permit; one that cannot be given back ends by itself. */
export async function returnPermit(gate: Gate, id: string, unused: number, limits: AccountLimits): Promise<void> {
  try {
    await gate.giveBack(id, unused, limits)
  } catch {
    log('permit_not_returned', {})
  }
}
