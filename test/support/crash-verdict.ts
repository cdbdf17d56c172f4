// What a mail server's journal says about a campaign's ledger.
import type { JournalLine } from './mail-journal.ts'

export interface LedgerRow {
  subscriber_id: number
  email: string
  state: string
}

export interface CrashVerdict {
  /** Recipients whom the ledger calls sent and the journal does not know, and rows that nobody closed. */
  lost: number
  /** Recipients whose mail was taken more than once. */
  doubled: number
  /** Rows by state. */
  states: Record<string, number>
  /** Everything that contradicts, a sentence each. */
  faults: string[]
}

/** @param campaign_id - every mail must be of this campaign */
export function judgeCrash(
  campaign_id: number,
  audience: readonly string[],
  ledger: readonly LedgerRow[],
  journal: readonly JournalLine[],
): CrashVerdict {
  const faults: string[] = []
  const states: Record<string, number> = {}
  const rows = new Map(ledger.map((row) => [row.email, row]))
  const refused = new Set(journal.filter(({ what }) => what === 'refused').map(({ to }) => to))
  const taken = new Map<string, number>()
  for (const { what, to, id } of journal) {
    if (what !== 'taken') continue
    taken.set(to, (taken.get(to) ?? 0) + 1)
    const row = rows.get(to)
    if (!row) faults.push(`${to} was mailed and is in no row`)
    else if (id !== `${campaign_id}.${row.subscriber_id}`) faults.push(`${to} got the mail of somebody else: ${id}`)
  }
  let lost = 0
  for (const email of audience) {
    const row = rows.get(email)
    if (!row) {
      lost++
      faults.push(`${email} has no row`)
      continue
    }
    states[row.state] = (states[row.state] ?? 0) + 1
    const got = taken.has(email)
    if (row.state === 'sent') {
      if (got) continue
      lost++
      faults.push(`${email} is sent and was not taken`)
    } else if (row.state === 'failed') {
      if (got) faults.push(`${email} is failed and was taken`)
      if (!refused.has(email)) faults.push(`${email} is failed and was not refused`)
    } else if (row.state !== 'unconfirmed') {
      lost++
      faults.push(`${email} is ${row.state} in the end`)
    }
  }
  if (ledger.length !== audience.length) faults.push(`${ledger.length} rows for ${audience.length} recipients`)
  const doubled = [...taken].filter(([, times]) => times > 1)
  for (const [email, times] of doubled) faults.push(`${email} was taken ${times} times`)
  return { lost, doubled: doubled.length, states, faults }
}
