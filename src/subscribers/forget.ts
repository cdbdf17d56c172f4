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
  const quotes = quoting(addresses)
  const foreign = quotingForeign(addresses)
  const inside = (json: SQL) => sql`
    exists (select from jsonb_path_query(${json}, 'strict $.**') as v (value)
      where jsonb_typeof(v.value) = 'string' and ${quotes(sql`v.value #>> '{}'`)})`
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
          and ${inside(sql`s.content`)} and s.id not in (select id from emptied)
        returning id
      )
      update transactional_mails m set state = 'skipped', reason = 'deleted', updated_at = now()
      where m.send_id in (select id from quoting) and m.state = 'queued' and m.id not in (select id from mails)`,
    sql`
      update import_refusals set record = '', reason = 'the person was deleted'
      where ${quotes(sql`record`)} or ${foreign(sql`record`)}`,
    sql`
      update imports set sample = (
        select jsonb_agg(e.person) from jsonb_array_elements(sample) e (person) where not ${inside(sql`e.person`)})
      where ${inside(sql`sample`)}`,
    // A file without a header has somebody in its first line.
    sql`update imports set error = 'The file cannot be read; what was said of it named a person who was deleted' where ${quotes(sql`error`)}`,
    sql`delete from idempotency_keys where body ? 'email' and body ->> 'id' = ${String(subscriber_id)}`,
    // News of ids that name no mail of ours; the rest is found by id (ledger/forget.ts).
    sql`
      update feedback_events set recipient = null, diagnostic = null, raw = null
      where not matched and recipient is not null and recipient = ${any}`,
  ]
}

/**
 * Removes kept answers that quote somebody among others: suppressions, pages of a segment, the mails of a test. It reads all
 * of a day's answers, so it is for before the transaction, which keeps every writer waiting.
 */
export const forgetQuotes = (addresses: readonly string[]): SQL => sql`
  delete from idempotency_keys where body ?| '{value,data,mails}' and ${quoting(addresses)(sql`body::text`)}`

/**
 * That a text quotes one of the addresses, and not one that ends or begins like it. The first condition is the one that has
 * an index.
 */
function quoting(addresses: readonly string[]): (text: SQL) => SQL {
  const parts = addresses.map((address) => `%${address.replace(/[\\%_]/g, '\\$&')}%`)
  const wholes = addresses.map(
    (address) => `(?<![a-z0-9._+-])${address.replace(/[^a-z0-9@-]/g, '\\$&')}(?![a-z0-9-]|\\.[a-z0-9])`,
  )
  return (text) => sql`
    (lower(${text}) like any(${sql.param(parts)}::text[]) and lower(${text}) ~ any(${sql.param(wholes)}::text[]))`
}

/**
 * That a text as it came in quotes an address of an international domain in its own letters, where addresses are kept in
 * ASCII: the same local part before any domain of other letters, which may be somebody else's as well.
 */
function quotingForeign(addresses: readonly string[]): (text: SQL) => SQL {
  const locals = addresses
    .filter((address) => /[@.]xn--/.test(address))
    .map((address) => address.split('@', 1)[0] ?? '')
  if (locals.length === 0) return () => sql`false`
  const parts = locals.map((local) => `%${local.replace(/[\\%_]/g, '\\$&')}@%`)
  const wholes = locals.map(
    (local) => `(?<![a-z0-9._+-])${local.replace(/[^a-z0-9-]/g, '\\$&')}@[^\\s,;"@]*[^\\u0001-\\u007f]`,
  )
  return (text) => sql`
    (lower(${text}) like any(${sql.param(parts)}::text[]) and lower(${text}) ~ any(${sql.param(wholes)}::text[]))`
}
