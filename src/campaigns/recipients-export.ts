import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { iso } from '../db/iso.ts'
import { type FileFormat, streamFile } from '../exports/file.ts'
import { csvRecord } from '../http/csv.ts'
import { hasClicked, hasOpened } from './engagement.ts'

/** Which recipients; `opened` and `clicked` as an audience has them (engagement.ts). */
export const RECIPIENT_FILTERS = [
  'opened',
  'not_opened',
  'clicked',
  'not_clicked',
  'unsubscribed',
  'bounced',
  'complained',
] as const
export type RecipientFilter = (typeof RECIPIENT_FILTERS)[number]

export interface RecipientsExport {
  campaign_id: number
  /** Undefined for all. */
  only: RecipientFilter | undefined
  format: FileFormat
  /** For CSV: see csvRecord. */
  formula_safe: boolean
}

/** Rows a statement: some 400 kB. */
const PAGE = 2000

/** In the order of the columns. `email` is null once the subscriber was deleted. */
const COLUMNS = [
  'subscriber_id',
  'email',
  'state',
  'reason',
  'sent_at',
  'delivered_at',
  'bounced_at',
  'complained_at',
  'first_opened_at',
  'opens',
  'human_opens',
  'first_clicked_at',
  'clicks',
  'human_clicks',
  'unsubscribed_at',
] as const

type Row = Record<(typeof COLUMNS)[number], string | number | null> & { subscriber_id: number }

/**
 * Who a campaign was for and what they did, by subscriber id, as a file.
 *
 * @param page_size - rows a statement
 */
export function exportRecipients(
  db: Database,
  wanted: RecipientsExport,
  page_size: number = PAGE,
): ReadableStream<Uint8Array> {
  const { format } = wanted
  return streamFile<number>(format === 'csv' ? csvRecord(COLUMNS, false) : '', async (after) => {
    const rows = await readPage(db, wanted, after ?? 0, page_size)
    const next = rows.length < page_size ? null : (rows.at(-1)?.subscriber_id ?? null)
    return { text: rows.map((row) => lineOf(row, wanted)).join(''), next }
  })
}

function lineOf(row: Row, { format, formula_safe }: RecipientsExport): string {
  if (format === 'ndjson') return `${JSON.stringify(row)}\n`
  return csvRecord(
    COLUMNS.map((column) => row[column]),
    formula_safe,
  )
}

/** What belongs to each row is looked up by its key, whatever statistics say of these tables. */
async function readPage(db: Database, { campaign_id, only }: RecipientsExport, after: number, page_size: number) {
  const { rows } = await db.execute<Row>(sql`
    with page as materialized (
      select d.campaign_id, d.subscriber_id, d.state, d.reason, d.sent_at from deliveries d
      where d.campaign_id = ${campaign_id} and d.subscriber_id > ${after} ${only ? sql`and ${FILTERS[only](campaign_id)}` : sql``}
      order by d.subscriber_id limit ${page_size}
    )
    select p.subscriber_id::float8 as subscriber_id, s.email, p.state, p.reason, ${iso(sql`p.sent_at`)} as sent_at,
      ${iso(sql`f.delivered_at`)} as delivered_at, ${iso(sql`least(f.hard_bounced_at, f.soft_bounced_at)`)} as bounced_at,
      ${iso(sql`f.complained_at`)} as complained_at,
      ${iso(sql`r.first_opened_at`)} as first_opened_at, coalesce(r.opens, 0) as opens, coalesce(r.human_opens, 0) as human_opens,
      ${iso(sql`r.first_clicked_at`)} as first_clicked_at, coalesce(r.clicks, 0) as clicks,
      coalesce(r.human_clicks, 0) as human_clicks, ${iso(sql`r.unsubscribed_at`)} as unsubscribed_at
    from page p
    left join lateral (select s.email from subscribers s where s.id = p.subscriber_id limit 1) s on true
    left join lateral (
      select r.* from recipient_stats r where r.campaign_id = p.campaign_id and r.subscriber_id = p.subscriber_id limit 1
    ) r on true
    left join lateral (
      select f.* from recipient_feedback f where f.campaign_id = p.campaign_id and f.subscriber_id = p.subscriber_id limit 1
    ) f on true
    order by p.subscriber_id`)
  return rows
}

/** As conditions on `deliveries d`. Without `offset 0`, Postgres may read all of a campaign's rows for each page. */
const FILTERS: Record<RecipientFilter, (campaign_id: number) => SQL> = {
  opened: (id) => hasOpened(id, RECIPIENT),
  not_opened: (id) => sql`d.state = 'sent' and not ${hasOpened(id, RECIPIENT)}`,
  clicked: (id) => hasClicked(id, RECIPIENT),
  not_clicked: (id) => sql`d.state = 'sent' and not ${hasClicked(id, RECIPIENT)}`,
  unsubscribed: (id) => sql`
    exists (
      select 1 from recipient_stats r
      where r.campaign_id = ${id} and r.subscriber_id = d.subscriber_id and r.unsubscribes > 0 offset 0
    )`,
  bounced: (id) => feedback(id, sql`(f.hard_bounces > 0 or f.soft_bounces > 0)`),
  complained: (id) => feedback(id, sql`f.complaints > 0`),
}

const RECIPIENT = sql`d.subscriber_id`

const feedback = (campaign_id: number, told: SQL) => sql`
  exists (
    select 1 from recipient_feedback f
    where f.campaign_id = ${campaign_id} and f.subscriber_id = d.subscriber_id and ${told} offset 0
  )`
