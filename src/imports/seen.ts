import type { SubscriberRow } from '../subscribers/row.ts'
import type { ImportPolicy } from './options.ts'

/** People whose rows are remembered: some 20 MB. Of those after them, repeats are not noticed. */
const LIMIT = 200_000

type Outcome = 'created' | 'updated' | 'unchanged' | 'skipped'

/**
 * Whom a dry run has come across in this part: nothing is written, so that Postgres cannot tell the second row of a person
 * from the first. Remembered by hash: two in a million million are mistaken for each other.
 */
export class Seen {
  readonly #rows = new Map<number, number>()

  /** What would become of a row, when `alone` is what would become of it as the only one. */
  outcome(row: SubscriberRow, alone: Outcome, policy: ImportPolicy): Outcome {
    const who = hash(row.email?.toLowerCase() ?? '')
    const what = hash(JSON.stringify(row))
    const before = this.#rows.get(who)
    if (before !== undefined || this.#rows.size < LIMIT) this.#rows.set(who, what)
    if (before === undefined || alone === 'skipped') return alone
    if (policy === 'skip') return 'skipped'
    return before === what ? 'unchanged' : 'updated'
  }
}

/** 53 bits, of two FNV-1a of 32 that begin differently. */
function hash(text: string): number {
  let a = 0x811c9dc5
  let b = 0x9dc5811c
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    a = Math.imul(a ^ code, 0x01000193)
    b = Math.imul(b ^ code, 0x85ebca6b)
  }
  return (a >>> 0) * 0x20_0000 + (b >>> 11)
}
