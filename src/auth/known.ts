import type { Caller } from './caller.ts'

/** A key revoked elsewhere goes on working in this isolate for at most this long, in ms. */
const KNOWN_FOR = 10_000
const MAX_KNOWN = 1000

/** Keys that were found good a moment ago, by hash: a burst of calls asks Postgres once. */
export class KnownKeys {
  readonly #callers = new Map<string, { caller: Caller; until: number }>()

  /** @param now - in ms */
  find(hash: string, now: number): Caller | undefined {
    const entry = this.#callers.get(hash)
    return entry && entry.until > now ? entry.caller : undefined
  }

  /** @param now - in ms */
  remember(hash: string, caller: Caller, now: number): void {
    if (this.#callers.size >= MAX_KNOWN) this.#callers.clear()
    this.#callers.set(hash, { caller, until: now + KNOWN_FOR })
  }

  forget(api_key_id: number): void {
    for (const [hash, { caller }] of this.#callers) {
      if (caller.api_key_id === api_key_id) this.#callers.delete(hash)
    }
  }
}
