import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { retryDeadlocks } from '../db/retry.ts'
import { refusalOf } from './refusal.ts'
import type { MailState } from './status.ts'
import type { MailContent } from './table.ts'

/** One open mail as its sender sees it. */
export interface OpenMail {
  id: number
  email: string
  state: 'queued' | 'sending'
  attempts: number
  content: MailContent
  /** Until it is due, or, while another sender has it, until that one is given up. In seconds. */
  wait_seconds: number
  /** False while all sending is stopped by API. */
  sending: boolean
}

const any = (ids: readonly number[]) => sql`any(${sql.param([...ids])}::bigint[])`

/**
 * Reads the mails that pointers name, those that are not over. What a dead sender left behind becomes `unconfirmed`, and
 * whoever must not be mailed any more is skipped.
 */
export async function readMails(db: Database, ids: readonly number[]): Promise<OpenMail[]> {
  const [, , , rows] = await retryDeadlocks(() =>
    db.batch([
      db.execute(sql`
        update transactional_mails set state = 'unconfirmed', reason = 'no_answer', updated_at = now()
        where id = ${any(ids)} and state = 'sending' and due_at < now()`),
      db.execute(sql`
        update transactional_mails m set state = 'skipped', reason = r.reason, updated_at = now()
        from (select q.id, ${refusalOf(sql`q.email`, sql`o.purpose`)} as reason
          from transactional_mails q join transactional_sends o on o.id = q.send_id
          where q.id = ${any(ids)} and q.state = 'queued') r
        where m.id = r.id and m.state = 'queued' and r.reason is not null`),
      forgetContent(db, ids),
      db.execute<OpenMail & Record<string, unknown>>(sql`
        select m.id::float8 as id, m.email, m.state, m.attempts::int as attempts, s.content,
          greatest(extract(epoch from m.due_at - now()), 0)::float8 as wait_seconds,
          (select sending from settings) as sending
        from transactional_mails m join transactional_sends s on s.id = m.send_id
        where m.id = ${any(ids)} and m.state in ('queued', 'sending') and s.content is not null
        order by m.id`),
    ]),
  )
  return rows.rows
}

/**
 * Marks mails as leaving; exactly those that are returned may be sent. Repeated with the same token it gives the same.
 *
 * @param lease_seconds - after which their sender is given up and they are `unconfirmed`
 */
export async function markMails(
  db: Database,
  mark: { ids: readonly number[]; token: string; account: string; lease_seconds: number },
): Promise<Set<number>> {
  const { ids, token, account, lease_seconds } = mark
  const { rows } = await retryDeadlocks(() =>
    db.execute<{ id: number }>(sql`
      update transactional_mails set
        attempts = attempts + (state = 'queued')::int, state = 'sending', lease_token = ${token}::uuid,
        account = ${account}, due_at = now() + make_interval(secs => ${lease_seconds}), updated_at = now()
      where id = ${any(ids)} and (select sending from settings)
        and ((state = 'queued' and due_at <= now()) or (state = 'sending' and lease_token = ${token}::uuid))
      returning id::float8 as id`),
  )
  return new Set(rows.map(({ id }) => id))
}

/** What became of one mail. */
export interface MailVerdict {
  id: number
  /** `queued`: to be tried again. */
  state: Exclude<MailState, 'sending'>
  reason: string | null
  answer: string | null
  delay_seconds: number | null
  provider_message_id: string | null
}

/**
 * Records what became of mails: of those that this token marked, and of those that are still queued. One that was given up
 * meanwhile may still turn out sent or failed, but is not tried again.
 */
export async function recordMails(db: Database, token: string, verdicts: readonly MailVerdict[]): Promise<void> {
  if (verdicts.length === 0) return
  const ids = verdicts.map(({ id }) => id)
  await retryDeadlocks(() =>
    db.batch([
      db.execute(sql`
        update transactional_mails m set
          attempts = m.attempts + (m.state = 'queued' and v.state <> 'skipped')::int,
          state = v.state, reason = v.reason, answer = v.answer, provider_message_id = v.provider_message_id,
          due_at = case when v.delay_seconds is null then m.due_at else now() + make_interval(secs => v.delay_seconds) end,
          sent_at = case when v.state = 'sent' then now() end, updated_at = now()
        from jsonb_to_recordset(${JSON.stringify(verdicts)}::jsonb) as v
          (id bigint, state text, reason text, answer text, delay_seconds float8, provider_message_id text)
        where m.id = v.id and (m.state = 'queued'
          or (m.lease_token = ${token}::uuid
            and (m.state = 'sending' or (m.state = 'unconfirmed' and v.state <> 'queued'))))`),
      forgetContent(db, ids),
    ]),
  )
}

/** Drops the content of sends that have no open mail left. */
const forgetContent = (db: Database, ids: readonly number[]) =>
  db.execute(sql`
    update transactional_sends s set content = null
    where s.content is not null and s.id in (select send_id from transactional_mails where id = ${any(ids)})
      and not exists (select 1 from transactional_mails o where o.send_id = s.id and o.state in ('queued', 'sending'))`)
