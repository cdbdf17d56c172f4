// A gate's account under a clock that the test sets, without the Durable Object around it.
import type { Quota } from '../../../../src/providers/provider.ts'
import { extend, giveBack, learn, reopen, standing, take } from '../../../../src/sending/gate/account.ts'
import { type GateState, restoreState } from '../../../../src/sending/gate/state.ts'
import type { AccountLimits, Asking, NoPermit, Permit, Report, Standing } from '../../../../src/sending/permit.ts'

export const NOW = Date.UTC(2026, 0, 1)
export const SECOND = 1000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE

export const limits = (l: Partial<AccountLimits> = {}): AccountLimits => ({
  max_connections: 10,
  rate_per_second: null,
  per_day: null,
  ...l,
})

export const report = (r: Partial<Report> = {}): Report => ({
  used: r.sent ?? 0,
  sent: 0,
  silent: 0,
  throttled: 0,
  throttled_seconds: null,
  stop: null,
  trouble: null,
  ...r,
})

export class AskedAccount {
  state: GateState = restoreState(undefined)
  limits: AccountLimits
  #ids = 0

  constructor(l: Partial<AccountLimits> = {}) {
    this.limits = limits(l)
  }

  /** @param at ms after NOW, as everywhere here */
  take(at: number, more: Partial<Asking> = {}): Permit | NoPermit {
    const asking = { mails: 100, limits: this.limits, hold_ms: 15 * MINUTE, ...more }
    return take(this.state, asking, `permit-${this.#ids++}`, NOW + at)
  }

  granted(at: number, more: Partial<Asking> = {}): Permit {
    const answer = this.take(at, more)
    if (!('id' in answer)) throw new Error(`no permit: ${JSON.stringify(answer)}`)
    return answer
  }

  refused(at: number, more: Partial<Asking> = {}): NoPermit {
    const answer = this.take(at, more)
    if ('id' in answer) throw new Error(`a permit: ${JSON.stringify(answer)}`)
    return answer
  }

  extend = (id: string, hold_ms: number, at: number): boolean => extend(this.state, id, hold_ms, NOW + at)
  giveBack = (id: string, r: Partial<Report>, at: number): boolean =>
    giveBack(this.state, id, report(r), this.limits, NOW + at)
  learn = (quota: Quota | null, at: number): void => learn(this.state, quota, NOW + at)
  reopen = (at: number): void => reopen(this.state, NOW + at)
  standing = (at: number): Standing => standing(this.state, this.limits, NOW + at)

  /** What the object's storage does between two of its lives. */
  evict(): void {
    this.state = restoreState(structuredClone(this.state))
  }
}
