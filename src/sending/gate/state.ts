// All that a gate remembers, as plain data: what is stored is this.
import type { LimitingFactor } from '../permit.ts'
import { type Breaker, freshBreaker } from './breaker.ts'
import type { Day } from './day.ts'
import type { Holding } from './held.ts'
import { freshPace, type Pace } from './pace.ts'
import { freshLearnt, type Learnt } from './quota.ts'

export interface GateState {
  /** The latest moment it knows of, and what it adds to the clock of the machine it runs on. In ms. */
  clock: number
  ahead_of_clock: number
  held: Holding
  /** Ms until which one connection is not for campaigns. */
  kept_until: number
  pace: Pace
  day: Day
  breaker: Breaker
  learnt: Learnt
  /** What has last held up a sender, and when. */
  limited: { factor: LimitingFactor; at: number } | null
}

/** A state as an earlier release may have stored it. */
export type Stored = { [Part in keyof GateState]?: Partial<GateState[Part]> }

/** The state that was stored, or that of a gate nobody has asked yet; what an earlier release did not know is as if new. */
export function restoreState(stored: Stored | undefined): GateState {
  const fresh: GateState = {
    clock: 0,
    ahead_of_clock: 0,
    held: {},
    kept_until: 0,
    pace: freshPace(),
    day: [],
    breaker: freshBreaker(),
    learnt: freshLearnt(),
    limited: null,
  }
  if (!stored) return fresh
  return {
    ...fresh,
    ...(stored as Partial<GateState>),
    pace: { ...fresh.pace, ...stored.pace },
    breaker: { ...fresh.breaker, ...stored.breaker },
    learnt: { ...fresh.learnt, ...stored.learnt },
  }
}

/**
 * The gate's own time, which never runs backwards: an object moves between machines, and a clock that was set back must not
 * stretch what is held, promised or counted.
 * @param now ms since 1970 by the machine's clock
 */
export function gateTime(state: GateState, now: number): number {
  state.ahead_of_clock = Math.max(state.ahead_of_clock, state.clock - now)
  state.clock = now + state.ahead_of_clock
  return state.clock
}
