// Gates for tests of what happens past them: one that grants whatever is asked, and the real one outside its Durable Object.
import { extend, giveBack, learn, reopen, standing, take } from '../../src/sending/gate/account.ts'
import { restoreState } from '../../src/sending/gate/state.ts'
import type { Asking, Gate, Permit } from '../../src/sending/permit.ts'

export const UNLIMITED = { max_connections: 4, rate_per_second: null, per_day: null }

export const grant = ({ mails, limits }: Asking): Permit => ({
  id: 'p',
  mails,
  starts_in_ms: 0,
  rate_per_second: limits.rate_per_second,
  learn: false,
})

export const openGate = (changes: Partial<Gate> = {}): Gate => ({
  take: grant,
  extend: () => true,
  giveBack: () => undefined,
  learn: () => undefined,
  reopen: () => undefined,
  standing: () => ({
    connections: 0,
    rate_per_second: null,
    sent_last_day: 0,
    per_day: null,
    service_per_day: null,
    limited_by: null,
    down: null,
  }),
  ...changes,
})

/** The gate as it is, kept in memory. @param now - ms since 1970 */
export function realGate(now: () => number): Gate {
  const state = restoreState(undefined)
  return {
    take: (asking) => take(state, asking, crypto.randomUUID(), now()),
    extend: (id, hold_ms) => extend(state, id, hold_ms, now()),
    giveBack: (id, report, limits) => giveBack(state, id, report, limits, now()),
    learn: (quota) => learn(state, quota, now()),
    reopen: () => reopen(state, now()),
    standing: (limits) => standing(state, limits, now()),
  }
}
