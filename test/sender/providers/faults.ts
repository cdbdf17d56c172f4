import type { Mail, Outcome, Provider } from '../../../src/providers/provider.ts'
import { openSlots } from '../../../src/providers/slots.ts'
import { mail } from '../../support/mail.ts'

/** A mark of its own for each test: the endpoints are shared by all. */
export const mark = () => Math.random().toString(36).slice(2)

/** One group to these faults (local parts) under one mark. */
export async function sendGroup<Prepared>(
  provider: Provider<Prepared>,
  under: string,
  faults: string[],
  deadline = Date.now() + 10_000,
  changes: Partial<Mail> = {},
  slots = openSlots(),
): Promise<Outcome[]> {
  const connection = await provider.connect(slots)
  const group = faults.map((fault, i) =>
    provider.prepare(
      mail({ subscriber_id: i + 1, to: { email: `${fault}+${under}@example.com`, name: null }, ...changes }),
    ),
  )
  const outcomes = await connection.send(group, deadline)
  await connection.close()
  return outcomes
}

/** What the endpoint took under a mark. */
export async function requestsOf<Entry>(endpoint: string, under: string): Promise<Entry[]> {
  return (await fetch(`${endpoint}/requests/${under}`)).json()
}
