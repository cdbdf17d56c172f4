import { and, asc, eq, sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { refusalOf } from './refusal.ts'
import type { Purpose } from './status.ts'
import { type MailContent, transactional_mails, transactional_sends } from './table.ts'

/** One address of a new send. */
export interface NewMail {
  email: string
  /** Keyed hash of the address: what a deleted subscriber leaves behind. */
  hash: string
  /** Why it must not be mailed, as far as is known without the database. */
  reason: string | null
}

/**
 * Writes a send and its mails down in one statement. Who must not be mailed is `skipped` from the start; without anyone who
 * may be, the content is not kept.
 *
 * @returns the send's id, those of the mails that are to be sent, and for each address why it is skipped, or null
 */
export async function insertSend(
  db: Database,
  send: {
    purpose: Purpose
    campaign_id: number | null
    content: MailContent
    warnings: readonly { field: string; detail: string }[]
  },
  mails: readonly NewMail[],
): Promise<{ id: number; queued: number[]; reasons: (string | null)[] }> {
  const column = (name: keyof NewMail) => sql`${sql.param(mails.map((mail) => mail[name]))}::text[]`
  const { rows } = await db.execute<{ id: number; queued: number[]; reasons: (string | null)[] }>(sql`
    with judged as materialized (
      select i.email, i.n, coalesce(i.reason, ${refusalOf(sql`i.email`, sql`${send.purpose}::text`)},
        (select case h.reason when 'deleted' then 'deleted' else 'suppressed' end from suppressions h
          where h.kind = 'hash' and h.value = i.hash
            and (${send.purpose}::text = 'test' or h.reason not in ('deleted', 'unsubscribe')))) as reason
      from unnest(${column('email')}, ${column('hash')}, ${column('reason')}) with ordinality as i (email, hash, reason, n)
    ), made as (
      insert into transactional_sends (purpose, campaign_id, content, warnings)
      values (${send.purpose}, ${send.campaign_id},
        case when exists (select from judged where reason is null) then ${JSON.stringify(send.content)}::jsonb end,
        ${JSON.stringify(send.warnings)}::jsonb)
      returning id
    ), written as (
      insert into transactional_mails (send_id, email, state, reason)
      select made.id, j.email, case when j.reason is null then 'queued' else 'skipped' end, j.reason
      from made, judged j order by j.n
      returning id, state
    )
    select made.id::float8 as id,
      coalesce((select array_agg(w.id::float8 order by w.id) from written w where w.state = 'queued'), '{}') as queued,
      (select array_agg(j.reason order by j.n) from judged j) as reasons
    from made`)
  const [row] = rows
  if (!row) throw new Error('insert into transactional_sends returned nothing')
  return row
}

/** A test with its mails, in the order in which they were asked for. */
export async function findTestSend(db: Database, id: number) {
  const m = transactional_mails
  const [[send], mails] = await db.batch([
    db
      .select({
        id: transactional_sends.id,
        campaign_id: sql<number>`${transactional_sends.campaign_id}::float8`,
        warnings: transactional_sends.warnings,
        created_at: transactional_sends.created_at,
      })
      .from(transactional_sends)
      .where(and(eq(transactional_sends.id, id), eq(transactional_sends.purpose, 'test'))),
    db
      .select({
        id: m.id,
        email: m.email,
        state: m.state,
        reason: m.reason,
        answer: m.answer,
        attempts: m.attempts,
        account: m.account,
        provider_message_id: m.provider_message_id,
        sent_at: m.sent_at,
      })
      .from(m)
      .where(eq(m.send_id, id))
      .orderBy(asc(m.id)),
  ])
  return send && { ...send, mails }
}

/** How long what was sent can be asked for, in days. */
const KEPT_DAYS = 30

/** Forgets old sends, at most `limit` at once. For cron. @returns how many */
export async function forgetSends(db: Database, limit = 1000): Promise<number> {
  const { rowCount } = await db.execute(sql`
    delete from transactional_sends where id in (
      select id from transactional_sends where created_at < now() - make_interval(days => ${KEPT_DAYS})
      order by created_at limit ${limit})`)
  return rowCount
}

/** A pointer is lost, or its sender died, when nothing has happened for this long after a mail was due, in seconds. */
const OVERDUE = 900

/** Mails that need a new pointer. Their `due_at` moves on in the same statement, so no run finds them twice. For cron. */
export async function overdueMails(db: Database, limit = 100): Promise<number[]> {
  const { rows } = await db.execute<{ id: number }>(sql`
    with lost as materialized (
      select id from transactional_mails
      where state in ('queued', 'sending') and due_at < now() - make_interval(secs => ${OVERDUE})
      order by due_at limit ${limit} for update skip locked
    )
    update transactional_mails m set due_at = now() from lost where m.id = lost.id
    returning m.id::float8 as id`)
  return rows.map(({ id }) => id)
}
