// One account's gate as plain functions over its state; all times in ms since 1970. The order of the checks is what a sender
// that is held up is told: an account that is down before one whose connections, day or rate are used up.
import type { Quota } from '../../providers/provider.ts'
import type { AccountLimits, Asking, LimitingFactor, NoPermit, Permit, Report, Standing } from '../permit.ts'
import { asksForRest, downNow, freshBreaker, judgeLost, judgeReport, passage } from './breaker.ts'
import { addToDay, countDay, type DayLimit, HOUR, leftOf, untilNextHour } from './day.ts'
import { endLost, heldMails, inUse, KEPT, prolong, someWait } from './held.ts'
import { HORIZON, meter, nextStart, promise, rateNow, refund, slowDown } from './pace.ts'
import { learningDue, noteQuota, quotaNow } from './quota.ts'
import { type GateState, gateTime } from './state.ts'

/** After a full gate, campaigns and those who go ahead look again this soon. In ms. */
const LOOK_AGAIN = 1000
const LOOK_AGAIN_AHEAD = 250
/** Mails of the day that others hold may come back unused: worth another look after this. In ms. */
const MAY_COME_BACK = 60_000
/** What held up a sender so long ago is no longer worth telling. In ms. */
const TOLD = 60_000

/** @param id of the permit, if there is one */
export function take(state: GateState, asking: Asking, id: string, at: number): Permit | NoPermit {
  const now = settle(state, at)
  const { limits } = asking
  const ahead = asking.ahead === true
  const way = passage(state.breaker, now)
  if (way.may === 'wait') return refuse(state, 'down', way.wait_ms, now, way.reason)

  const { rate, lowered } = rateNow(state.pace, rateLimit(state, limits, now), now)
  const rated: LimitingFactor = lowered ? 'throttled' : 'rate'
  const kept = !ahead && now < state.kept_until ? 1 : 0
  if (inUse(state.held) + kept >= limits.max_connections) {
    if (ahead) state.kept_until = now + KEPT
    const factor = someWait(state.held, now) ? rated : 'connections'
    return refuse(state, factor, ahead ? LOOK_AGAIN_AHEAD : LOOK_AGAIN, now)
  }
  const left = leftOfDay(state, limits, ahead, now)
  if (left < 1) return refuse(state, 'day', untilDay(state, now), now)
  const starts = nextStart(state.pace, rate, ahead, now)
  if (starts - now > HORIZON) return refuse(state, rated, starts - now - HORIZON, now)

  const mails = Math.min(asking.mails, left)
  const promised = promise(state.pace, mails, rate, ahead, now)
  state.held[id] = { granted: now, ends: starts + asking.hold_ms, mails, ...promised }
  if (ahead) state.kept_until = 0
  if (state.breaker.open) state.breaker.open.probe = id
  if (starts > now) state.limited = { factor: rated, at: now }
  const learn = learningDue(state.learnt, now)
  if (learn) state.learnt.asked_at = now
  return { id, mails, starts_in_ms: starts - now, rate_per_second: rate, learn }
}

/** @returns false when the permit has ended */
export function extend(state: GateState, id: string, hold_ms: number, at: number): boolean {
  const now = settle(state, at)
  return prolong(state.held, id, hold_ms, now)
}

/** Ends a permit and learns from what became of it. One that has ended already, or that nobody knows, changes nothing. */
export function giveBack(state: GateState, id: string, report: Report, limits: AccountLimits, at: number): boolean {
  const now = settle(state, at)
  const permit = state.held[id]
  if (!permit) return false
  const connections = inUse(state.held)
  delete state.held[id]
  refund(state.pace, permit, permit.mails - report.used)
  count(state, report.used, now)
  meter(state.pace, permit, report.sent, now)
  if (report.throttled > 0 && !asksForRest(report)) {
    const share = report.throttled / (report.sent + report.throttled)
    slowDown(state.pace, permit, share, rateLimit(state, limits, now), connections, now)
  }
  judgeReport(state.breaker, id, report, now)
  forgetDown(state, now)
  return true
}

export function learn(state: GateState, quota: Quota | null, at: number): void {
  noteQuota(state.learnt, quota, settle(state, at))
}

export function reopen(state: GateState, at: number): void {
  const now = settle(state, at)
  state.breaker = freshBreaker()
  forgetDown(state, now)
}

export function standing(state: GateState, limits: AccountLimits, at: number): Standing {
  const now = settle(state, at)
  const { limited } = state
  const tightest = dayLimits(state, limits, 0, now)[0]
  return {
    connections: inUse(state.held),
    rate_per_second: rateNow(state.pace, rateLimit(state, limits, now), now).rate,
    sent_last_day: tightest?.count ?? countDay(state.day, now),
    per_day: tightest?.limit ?? null,
    service_per_day: quotaNow(state.learnt, now).per_day,
    limited_by: limited && now - limited.at < TOLD ? limited.factor : null,
    down: downNow(state.breaker, now),
  }
}

/** Ends what ended by itself. @returns the gate's time */
function settle(state: GateState, at: number): number {
  const now = gateTime(state, at)
  for (const [id, permit] of endLost(state.held, now)) {
    count(state, permit.mails, permit.ends)
    judgeLost(state.breaker, id, permit.ends)
  }
  return now
}

function count(state: GateState, mails: number, at: number): void {
  state.day = addToDay(state.day, mails, at)
  state.learnt.used_since += mails
}

function refuse(
  state: GateState,
  factor: LimitingFactor,
  wait_ms: number,
  now: number,
  reason: string | null = null,
): NoPermit {
  state.limited = { factor, at: now }
  return { wait_ms: Math.ceil(wait_ms), factor, reason }
}

/** An account that answers again is no longer named as what holds senders up. */
function forgetDown(state: GateState, now: number): void {
  if (state.limited?.factor === 'down' && !downNow(state.breaker, now)) state.limited = null
}

function rateLimit(state: GateState, limits: AccountLimits, now: number): number | null {
  return lower(limits.rate_per_second, quotaNow(state.learnt, now).rate)
}

const lower = (a: number | null, b: number | null) => (a === null ? b : b === null ? a : Math.min(a, b))

/**
 * The limits of the day, the tightest first: ours is of what we send, the service's of what it has counted, if that is more.
 * @param held mails that count although they are not sent yet
 */
function dayLimits(state: GateState, limits: AccountLimits, held: number, now: number): DayLimit[] {
  const own = countDay(state.day, now) + held
  const { per_day, sent } = quotaNow(state.learnt, now)
  const all: DayLimit[] = []
  if (limits.per_day !== null) all.push({ limit: limits.per_day, count: own })
  if (per_day !== null) all.push({ limit: per_day, count: Math.max(own, sent + held) })
  return all.sort((a, b) => a.limit - a.count - (b.limit - b.count))
}

/**
 * Mails left of the day. Where only an old word of the service says that there are none, one mail goes for the sake of a new
 * one: nobody else would ask, and the service counts for itself.
 */
function leftOfDay(state: GateState, limits: AccountLimits, ahead: boolean, now: number): number {
  const own = countDay(state.day, now) + heldMails(state.held)
  const left = dayLimits(state, limits, heldMails(state.held), now).map((limit) => leftOf(limit, ahead))
  const all = Math.min(Number.POSITIVE_INFINITY, ...left)
  if (all > 0 || !learningDue(state.learnt, now)) return all
  return Math.min(1, limits.per_day === null ? 1 : leftOf({ limit: limits.per_day, count: own }, ahead))
}

function untilDay(state: GateState, now: number): number {
  const most = heldMails(state.held) > 0 ? MAY_COME_BACK : HOUR
  return Math.min(most, untilNextHour(state.day, now) ?? HOUR)
}
