// Flushes run beside each other: what they do is additions, which commute. Whoever takes back or counts anew what flushes
// have added (another verdict, a recount, an erased subscriber) runs alone: then nothing is on its way that it cannot see.
import { sql } from 'drizzle-orm'

/** Any fixed number that no other advisory lock of this database uses. */
const FLUSH_LOCK = 718_002

/** First statement of every transaction that writes events. */
export const flushBeside = () => sql`select pg_advisory_xact_lock_shared(${FLUSH_LOCK})`

/** First statement of every transaction that corrects what flushes have counted; keep it short, they wait. */
export const flushAlone = () => sql`select pg_advisory_xact_lock(${FLUSH_LOCK})`
