import { type SQL, sql } from 'drizzle-orm'

/**
 * In a statement: why nothing may be sent to an address, or null. The same words as in the ledger.
 *
 * A test goes to nobody who left. A confirmation and a mail about one's data may: the one is how people come back, the other
 * is their right. Nothing goes where mail bounces, to who complained, or to what was suppressed by hand.
 *
 * @param purpose - of the send
 */
export const refusalOf = (email: SQL, purpose: SQL) => sql`coalesce(
  (select 'suppressed' from suppressions p
    where (p.kind, p.value) in (('address', lower(${email})), ('domain', lower(split_part(${email}, '@', 2))))
      and (${purpose} = 'test' or p.reason <> 'unsubscribe') limit 1),
  (select s.status from subscribers s
    where lower(s.email) = lower(${email}) and s.status <> 'active'
      and (${purpose} = 'test' or s.status <> 'unsubscribed')))`
