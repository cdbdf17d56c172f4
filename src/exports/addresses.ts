import { sql } from 'drizzle-orm'

/** A subscriber's addresses in lower case: theirs now, and those that stayed suppressed when it changed. */
export const addressesOf = (subscriber_id: number) => sql`
  select lower(s.email) from subscribers s where s.id = ${subscriber_id}
  union select x.value from suppressions x where x.subscriber_id = ${subscriber_id} and x.kind = 'address'`
