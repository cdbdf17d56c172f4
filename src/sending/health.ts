// What a group's outcomes say about the account that carried it.
import type { Outcome } from '../providers/provider.ts'
import type { Report } from './permit.ts'

/** Mails in a row, or connections, without an answer: the account is taken to be down. */
export const SILENT = 3
/** So many refusals for what we are or send, and not one mail taken: it is the account, not the recipients. */
const ALL_BLOCKED = 3

/**
 * Why no other mail would fare better with this account: its own word, or a group of which it took nothing and refused
 * several by policy (a relay that does not know us, a domain it may not send from). Null when others may.
 */
export function stopOf(outcomes: readonly Outcome[]): string | null {
  for (const outcome of outcomes) if (outcome.kind === 'stop') return outcome.answer
  const blocked = outcomes.filter((outcome) => outcome.kind === 'never' && outcome.policy)
  const refused = outcomes.every((outcome) => outcome.kind === 'never')
  return refused && blocked.length >= ALL_BLOCKED ? `every mail is refused: ${blocked[0]?.answer ?? ''}` : null
}

/** Adds to a report what outcomes say, in their order. @param stop - what `stopOf` says of them */
export function tally(report: Report, outcomes: readonly Outcome[], stop: string | null): void {
  if (stop !== null) report.stop = stop
  /** Mails behind a lost connection are no silence of their own, and none at all where the server said why it ended it. */
  let explained = false
  for (const outcome of outcomes) {
    const later = outcome.kind === 'later' ? outcome : null
    if (outcome.kind === 'unknown' || later?.silent || (later?.untried && !explained)) report.silent++
    else if (!later?.untried) report.silent = 0
    explained =
      outcome.kind === 'unknown' || later?.silent === true || later?.untried === true || later?.throttled === true
    if (outcome.kind === 'sent') report.sent++
    else if (outcome.kind !== 'never') report.trouble = outcome.answer
    if (outcome.kind === 'later' && outcome.throttled) {
      report.throttled++
      report.throttled_seconds = Math.max(report.throttled_seconds ?? 0, outcome.delay_seconds ?? 0)
    }
  }
}

/**
 * A connection that could not be had, as `tally` counts it: one that keeps failing is as good as silent, whatever it says,
 * unless it says that we are too fast.
 */
export const asFailedConnection = (outcome: Extract<Outcome, { kind: 'later' | 'stop' }>): Outcome =>
  outcome.kind === 'later' && !outcome.throttled ? { ...outcome, silent: true } : outcome
