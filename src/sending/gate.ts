import { DurableObject } from 'cloudflare:workers'
import type { AccountLimits, Permit, PriorityGate } from './permit.ts'

/** A permit nobody gave back ends after this long past its start: longer than any batch may take. In ms. */
const PERMIT_LIFE = 15 * 60_000
/** Sends are promised at most this far ahead; whoever would wait longer comes back later. In ms. */
const HORIZON = 60_000
/** The next connection that falls free is kept for whoever asked to go ahead and had to wait, for so long. In ms. */
const KEPT = 60_000

/**
 * Keeps one sending account under its limits: one object per account, asked once per batch, before the claim.
 * State is in memory: eviction means nobody holds a permit, or that connections are counted anew, which can exceed
 * `max_connections` for one batch's time.
 */
export class AccountGate extends DurableObject implements PriorityGate {
  /** Permit id -> ms at which it ends by itself, and ms up to which its mails take the rate. */
  readonly #held = new Map<string, { ends: number; until: number }>()
  /** Ms at which the rate allows the next mail. */
  #free_at = 0
  /** Ms until which one connection is not for campaigns. */
  #kept_until = 0

  take(mails: number, limits: AccountLimits, now = Date.now()): Permit | { wait_ms: number } {
    this.#endLost(now)
    const kept = now < this.#kept_until ? 1 : 0
    if (this.#held.size + kept >= limits.max_connections) return { wait_ms: 1000 }
    const starts = Math.max(now, this.#free_at)
    if (starts - now > HORIZON) return { wait_ms: starts - now - HORIZON }
    if (limits.rate_per_second) this.#free_at = starts + (mails / limits.rate_per_second) * 1000
    return this.#grant(starts, starts - now)
  }

  /**
   * A permit for mails that no campaign may hold up: they start at once, whatever starts the rate has promised others, who
   * make up for it later; where all connections are taken, the next one is theirs.
   */
  takeAhead(mails: number, limits: AccountLimits, now = Date.now()): Permit | { wait_ms: number } {
    this.#endLost(now)
    if (this.#held.size >= limits.max_connections) {
      this.#kept_until = now + KEPT
      return { wait_ms: 250 }
    }
    this.#kept_until = 0
    if (limits.rate_per_second) this.#free_at = Math.max(now, this.#free_at) + (mails / limits.rate_per_second) * 1000
    return this.#grant(now, 0)
  }

  /**
   * Ends a permit. Mails it allowed and that were not sent go back if nobody was promised a later start: to begin earlier
   * than promised is too late for others, and to begin beside them would double the rate.
   */
  giveBack(id: string, unused: number, limits: AccountLimits, now = Date.now()): void {
    const permit = this.#held.get(id)
    this.#held.delete(id)
    if (!limits.rate_per_second || permit?.until !== this.#free_at) return
    this.#free_at = Math.max(now, this.#free_at - (unused / limits.rate_per_second) * 1000)
  }
  #grant(starts: number, starts_in_ms: number): Permit {
    const id = crypto.randomUUID()
    this.#held.set(id, { ends: starts + PERMIT_LIFE, until: this.#free_at })
    return { id, starts_in_ms }
  }

  #endLost(now: number): void {
    for (const [id, { ends }] of this.#held) if (ends <= now) this.#held.delete(id)
  }
}
