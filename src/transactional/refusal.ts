import { type SQL, sql } from 'drizzle-orm'

/** In a statement: why nothing may be sent to an address, or null. The same words as in the ledger. */
export const refusalOf = (email: SQL) => sql`coalesce(
  (select 'suppressed' from suppressions p
    where (p.kind, p.value) in (('address', lower(${email})), ('domain', lower(split_part(${email}, '@', 2)))) limit 1),
  (select s.status from subscribers s where lower(s.email) = lower(${email}) and s.status <> 'active'))`
