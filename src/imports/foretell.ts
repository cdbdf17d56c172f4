// What a dry run tells of people: the same verdict as a write, read only.
import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { iso } from '../db/iso.ts'
import { judgeRows, rank } from '../subscribers/judge.ts'
import type { SubscriberRow } from '../subscribers/row.ts'
import { rowsAsJson } from '../subscribers/write.ts'
import type { ImportPolicy } from './options.ts'
import { refusalReason } from './reason.ts'

export interface Foretold {
  /** Which of the rows, from 0. */
  n: number
  outcome: 'created' | 'updated' | 'unchanged' | 'skipped' | 'refused'
  reason: string | null
  kept: boolean
  /** The row as it would be written; of the first rows only. */
  sample: Record<string, unknown> | null
}

/**
 * Judges rows as a write would, each as if it came alone. The transaction is read only: Postgres itself refuses to let it
 * leave anything behind.
 *
 * @param samples - of how many rows to tell how they would be written
 */
export async function foretellRows(
  db: Database,
  hash_key: string,
  rows: readonly SubscriberRow[],
  policy: ImportPolicy,
  samples: number,
): Promise<Foretold[]> {
  if (rows.length === 0) return []
  const json = await rowsAsJson(
    hash_key,
    rows.map((row, n) => ({ ...row, n })),
  )
  const [, { rows: told }] = await db.batch([
    db.execute(sql`set transaction read only`),
    db.execute<Foretold & Record<string, unknown>>(foretell(json, policy, samples)),
  ])
  return told
}

/** The conditions are those of the writing statements (create-statement.ts, update-statement.ts); a test compares the two. */
const foretell = (rows: string, policy: ImportPolicy, samples: number) => sql`
  with ${judgeRows('upsert', rows, policy)},
  wanted as materialized (
    select j.n, m.list_id is not null as is_member, m.status, m.consented_at
    from judged j
    cross join lateral unnest(j.list_ids) as l(list_id)
    left join list_members m on m.list_id = l.list_id and m.subscriber_id = j.subscriber_id
    where j.subscriber_id is not null
  ),
  told as (
    select j.*,
      (j.old_first_name, j.old_last_name, j.old_status, j.old_attributes, j.old_timezone, j.old_locale, j.old_tags)
        is distinct from
        (j.new_first_name, j.new_last_name, j.new_status, j.new_attributes, j.new_timezone, j.new_locale, j.new_tags)
      or exists (
        select from wanted w where w.n = j.n and (not w.is_member or (
          w.status = 'subscribed' and j.new_status = 'active' and j.consented_at is not null
          and (w.consented_at is null or w.consented_at < j.consented_at))))
      or (
        j.list_ids = '{}' and j.new_status = 'active'
        and (j.consented_at is not null or j.consent_source is not null or j.consent_wording is not null)
        and not exists (
          select from consents c
          where c.subscriber_id = j.subscriber_id and c.list_id is null and c.action <> 'unsubscribed'
            and (j.consented_at is null or c.occurred_at >= j.consented_at)))
      as changed,
      ${rank(sql`j.new_status`)} > ${rank(sql`j.asked_status`)} or (
        j.asked_status = 'active' and exists (select from wanted w where w.n = j.n and w.status = 'unsubscribed')
      ) as kept
    from judged j
  )
  select n, refusal is null and not skipped and kept as kept, ${refusalReason} as reason,
    case
      when refusal is not null then 'refused'
      when skipped then 'skipped'
      when subscriber_id is null then 'created'
      when changed then 'updated'
      else 'unchanged'
    end as outcome,
    case when refusal is null and not skipped and row_number() over (order by n) <= ${samples} then jsonb_build_object(
      'email', new_email, 'first_name', new_first_name, 'last_name', new_last_name, 'status', new_status,
      'attributes', new_attributes, 'timezone', new_timezone, 'locale', new_locale, 'tags', new_tags,
      'list_ids', list_ids, 'consented_at', ${iso(sql`consented_at`)}, 'consent_source', consent_source
    ) end as sample
  from told
  order by n`
