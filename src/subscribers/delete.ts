import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { retryDeadlocks } from '../db/retry.ts'
import { forgetActivity } from '../events/activity.ts'
import { flushAlone } from '../events/alone.ts'
import { forgetSubscriber } from '../ledger/forget.ts'
import { forgetMessages } from '../webhooks/forget.ts'
import { eraseAlone, hashEmail } from './erasure.ts'
import { forgetAddresses, forgetQuotes } from './forget.ts'

/**
 * Deletes a subscriber with memberships and consents, and blanks or removes what else is kept of them, in one transaction.
 * What stays is a keyed hash of each address they had (so that importing an old file does not mail the person again) and rows
 * that hold only ids and numbers (so that every sum stays as it was). An address that was suppressed stays so, by its hash;
 * a former one that is another subscriber's by now stays suppressed as it is, for senders look for addresses only.
 *
 * A mail that is leaving at this moment leaves; what is heard of it later is counted, and kept without words.
 *
 * @returns whether there was such a subscriber
 */
export async function deleteSubscriber(db: Database, hash_key: string, id: number): Promise<boolean> {
  for (;;) {
    const found = await db.execute<{ email: string; others: string[] }>(sql`
      select s.email, ${othersOf(id)} as others from subscribers s where s.id = ${id}`)
    const [person] = found.rows
    if (!person) return false
    const { email, others } = person
    const addresses = [...new Set([email.toLowerCase(), ...others])]
    const hashes = await Promise.all(addresses.map((address) => hashEmail(hash_key, address)))
    await db.execute(forgetQuotes(addresses))
    const [, , deleted] = await retryDeadlocks(() =>
      db.batch([
        db.execute(eraseAlone()),
        // No flush that still saw the subscriber may write what they did after it is gone.
        db.execute(flushAlone()),
        db.execute(sql`
          with gone as (
            delete from subscribers
            where id = ${id} and email = ${email} and ${othersOf(id)} = ${sql.param(others)}::text[]
            returning id
          ), named as (
            select a.address, a.hash, x.id, x.reason,
              exists (select from subscribers o where lower(o.email) = a.address and o.id <> ${id}) as is_anothers
            from gone, unnest(${sql.param(addresses)}::text[], ${sql.param(hashes)}::text[]) as a (address, hash)
            left join suppressions x on x.kind = 'address' and x.value = a.address
          ), unnamed as (
            delete from suppressions where id in (select id from named where not is_anothers)
          ), handed_on as (
            update suppressions set subscriber_id = null where id in (select id from named where is_anothers)
          )
          insert into suppressions as x (kind, value, reason, source)
          select 'hash', hash, coalesce(reason, 'deleted'), 'subscriber deleted' from named order by hash
          on conflict (kind, value) do update
          set created_at = now(), reason = case when x.reason = 'manual' then x.reason else excluded.reason end
          returning id`),
        db.execute(forgetSubscriber(id)),
        db.execute(forgetMessages(id)),
        ...[...forgetAddresses(id, addresses), ...forgetActivity(id)].map((statement) => db.execute(statement)),
      ]),
    )
    // Nothing deleted: an address changed since it was read (hash again), or someone else deleted them (look again).
    if (deleted.rows.length > 0) return true
  }
}

/** In a statement: addresses that are kept as suppressed because a subscriber has or had them, in lower case. */
const othersOf = (id: number) => sql`array(
  select x.value from suppressions x where x.subscriber_id = ${id} and x.kind = 'address' order by x.value collate "C")`
