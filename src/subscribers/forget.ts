// What a deleted subscriber has left where no id says whose it is, only an address. Each statement runs in the transaction
// that deletes them.
import { type SQL, sql } from 'drizzle-orm'

/**
 * Removes what names one of a person's addresses, and the kept answers of calls about them.
 *
 * @param addresses - lower-case: theirs now, and those they had
 */
export function forgetAddresses(subscriber_id: number, addresses: readonly string[]): SQL[] {
  const any = sql`any(${sql.param([...addresses])}::text[])`
  const quoting = sql`any(${sql.param(addresses.map((address) => `%${address.replace(/[\\%_]/g, '\\$&')}%`))}::text[])`
  return [
    sql`delete from signups where lower(email) = ${any}`,
    // A mail of several addresses stays for the others. One to somebody else that quotes the person does not leave any more.
    sql`
      with mails as (
        delete from transactional_mails where lower(email) = ${any} returning id, send_id
      ), emptied as (
        delete from transactional_sends s
        where s.id in (select send_id from mails) and not exists (
          select from transactional_mails o where o.send_id = s.id and o.id not in (select id from mails))
        returning id
      ), quoting as (
        update transactional_sends s set content = null
        where s.id in (select send_id from transactional_mails where state in ('queued', 'sending'))
          and lower(s.content::text) like ${quoting} and s.id not in (select id from emptied)
        returning id
      )
      update transactional_mails m set state = 'skipped', reason = 'deleted', updated_at = now()
      where m.send_id in (select id from quoting) and m.state = 'queued' and m.id not in (select id from mails)`,
    sql`update import_refusals set record = '' where lower(record) like ${quoting}`,
    sql`delete from idempotency_keys where body ? 'email' and body ->> 'id' = ${String(subscriber_id)}`,
    // News of ids that name no mail of ours; the rest is found by id (ledger/forget.ts).
    sql`
      update feedback_events set recipient = null, diagnostic = null, raw = null
      where not matched and recipient is not null and recipient = ${any}`,
  ]
}
