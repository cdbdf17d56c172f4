import { DurableObject } from 'cloudflare:workers'
import type { Quota } from '../providers/provider.ts'
import { extend, giveBack, learn, reopen, standing, take } from './gate/account.ts'
import { restoreState, type Stored } from './gate/state.ts'
import type { AccountLimits, Asking, Gate, NoPermit, Permit, Report, Standing } from './permit.ts'

const KEY = 'gate'

/**
 * Keeps one sending account under its limits: one object per account, asked once per batch, before the claim. All it knows
 * is one row of its storage, written with each change before the answer leaves. Nothing is awaited between reading and
 * writing, so questions never interleave.
 */
export class AccountGate extends DurableObject implements Gate {
  readonly #state = restoreState(this.ctx.storage.kv.get<Stored>(KEY))

  /** A refusal is not written: what it changes comes about again with the next question. */
  take(asking: Asking): Permit | NoPermit {
    const answer = take(this.#state, asking, crypto.randomUUID(), Date.now())
    if ('id' in answer) this.#save()
    return answer
  }

  extend(id: string, hold_ms: number): boolean {
    const held = extend(this.#state, id, hold_ms, Date.now())
    if (held) this.#save()
    return held
  }

  giveBack(id: string, report: Report, limits: AccountLimits): void {
    if (giveBack(this.#state, id, report, limits, Date.now())) this.#save()
  }

  learn(quota: Quota | null): void {
    learn(this.#state, quota, Date.now())
    this.#save()
  }

  reopen(): void {
    reopen(this.#state, Date.now())
    this.#save()
  }

  standing(limits: AccountLimits): Standing {
    return standing(this.#state, limits, Date.now())
  }

  #save(): void {
    this.ctx.storage.kv.put(KEY, this.#state)
  }
}
