import { sql } from 'drizzle-orm'

/**
 * A subscriber's addresses in lower case: theirs now, and those that stayed suppressed when it changed and are nobody else's
 * by now.
 */
export const addressesOf = (subscriber_id: number) => sql`
  select lower(s.email) from subscribers s where s.id = ${subscriber_id}
  union select x.value from suppressions x where x.subscriber_id = ${subscriber_id} and x.kind = 'address'
    and not exists (select from subscribers o where lower(o.email) = x.value and o.id <> ${subscriber_id})`
