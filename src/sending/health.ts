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
  /** Mails behind a lost connection are one silence, not one each, and none where the server said why it ended it. */
  let explained = false
  for (const outcome of outcomes) {
    const untried = outcome.kind === 'later' && outcome.untried === true
    const throttled = outcome.kind === 'later' && outcome.throttled === true
    if (outcome.kind === 'unknown' || (untried && !throttled && !explained)) report.silent++
    else if (!untried) report.silent = 0
    explained = untried || throttled
    if (outcome.kind === 'sent') report.sent++
    else if (outcome.kind !== 'never') report.trouble = outcome.answer
    if (outcome.kind === 'later' && outcome.throttled) {
      report.throttled++
      report.throttled_seconds = Math.max(report.throttled_seconds ?? 0, outcome.delay_seconds ?? 0)
    }
  }
}
