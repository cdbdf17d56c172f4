import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { retryDeadlocks } from '../db/retry.ts'
import type { ImportPolicy } from '../imports/options.ts'
import { createRows } from './create-statement.ts'
import { hashEmail, writeBesideErasures } from './erasure.ts'
import { createdHere, type WriteMode } from './judge.ts'
import type { Refusal, RowAnswer, SubscriberRow, TypedAttribute } from './row.ts'
import type { SubscriberStatus } from './status.ts'
import { type Pass, updateRows } from './update-statement.ts'

/**
 * Writes subscribers, their memberships and consents: every create, update, upsert, import and resubscription comes
 * through here, in one transaction of one round trip. One answer per row, in order. Repeating a call changes nothing.
 *
 * No row makes anyone mailable who opted out, bounced, complained or was deleted, unless it carries `resubscribe` with a
 * consent newer than that (judge.ts, update-statement.ts). Rows that name the same subscriber take effect one after the
 * other; each further one costs a pass of its own.
 *
 * @param options - `policy`: what an `upsert` may change of people who are there already (imports/options.ts)
 * @throws a unique violation (SQLSTATE 23505) when an `update` moves a subscriber to an address that is taken
 */
export async function writeSubscribers(
  db: Database,
  hash_key: string,
  mode: WriteMode,
  rows: readonly SubscriberRow[],
  { policy = 'overwrite' }: { policy?: ImportPolicy } = {},
): Promise<RowAnswer[]> {
  if (rows.length === 0) return []
  const { statements } = await writeStatements(hash_key, mode, rows, policy)
  const answers: RowAnswer[] = Array.from(rows, () => ({ ...NOTHING }))
  await retryDeadlocks(async () => {
    const [first, ...others] = statements.map((statement) => db.execute(statement))
    if (!first) return
    const results = await db.batch([first, ...others])
    for (let i = BEFORE_PASSES; i < results.length; i += 3) {
      for (const row of (results[i + 2]?.rows ?? []) as unknown as UpdateAnswer[]) answers[row.n] = answerOf(row)
      for (const { n, id } of (results[i]?.rows ?? []) as unknown as { n: number; id: number }[]) {
        answers[n] = { ...NOTHING, outcome: 'created', id }
      }
    }
  })
  return answers
}

const NOTHING: RowAnswer = { outcome: 'refused', id: null, refusal: null, attribute: null, kept: null, kept_lists: [] }

/** Queries at the end of a pass's two writing statements, in place of those that answer per row. */
export interface PassEnd {
  created: SQL
  settled: SQL
}

/** Statements of `writeStatements` before the first pass, each of which has three. */
const BEFORE_PASSES = 2

/** Ways to write the same rows, each in one transaction. */
export interface WriteStatements {
  statements: SQL[]
  /**
   * A third less work, for rows that are all new: creates all of them or nobody, and does nothing else. Null when the rows
   * are not of that kind.
   *
   * @param end - as of `createRows`; it has to fail the transaction when not all were created
   */
  whenAllNew(end: SQL): SQL[] | null
}

/**
 * The statements of one transaction that writes these rows, for a caller who has something of their own to add to it.
 *
 * @param end - makes the ends of a pass; `ns` are the places of its rows among `rows`
 */
export async function writeStatements(
  hash_key: string,
  mode: WriteMode,
  rows: readonly SubscriberRow[],
  policy: ImportPolicy,
  end?: (ns: number[]) => PassEnd,
): Promise<WriteStatements> {
  const list_ids = [...new Set(rows.flatMap((row) => row.list_ids ?? []))]
  const passes = await Promise.all(
    inPasses(rows).map(async (numbered) => ({
      numbered,
      json: await rowsAsJson(hash_key, numbered),
      count: numbered.length,
      resubscribes: numbered.some(({ resubscribe }) => resubscribe),
    })),
  )
  const before = [
    writeBesideErasures(),
    // A list that is deleted meanwhile waits for this transaction, or is unknown to it.
    sql`select from mailing_lists where id = any(${sql.param(list_ids)}::bigint[]) order by id for key share`,
  ]
  return {
    statements: [
      ...before,
      ...passes.flatMap(({ numbered, ...pass }) =>
        passOf(mode, numbered, pass, policy, end?.(numbered.map(({ n }) => n))),
      ),
    ],
    whenAllNew(all_new_end) {
      const [only] = passes
      if (!only || passes.length > 1 || only.resubscribes) return null
      return [...before, createRows(mode, only.json, policy, only.count, all_new_end)]
    },
  }
}

interface UpdateAnswer {
  n: number
  id: number | null
  refusal: Refusal | null
  attribute: string | null
  attribute_type: TypedAttribute['type'] | null
  skipped: boolean
  changed: boolean
  kept: SubscriberStatus | null
  kept_lists: number[]
}

function answerOf(row: UpdateAnswer): RowAnswer {
  const { id, refusal, kept, kept_lists } = row
  if (refusal !== null) {
    const { attribute: name, attribute_type: type } = row
    const attribute = refusal === 'attribute_type' && name !== null && type !== null ? { name, type } : null
    return { outcome: 'refused', id: null, refusal, attribute, kept: null, kept_lists: [] }
  }
  const outcome = row.skipped ? 'skipped' : row.changed ? 'updated' : 'unchanged'
  return { outcome, id, refusal, attribute: null, kept, kept_lists }
}

/** A row and its place in the call. */
export interface NumberedRow extends SubscriberRow {
  n: number
}

/** No statement may touch a subscriber twice: the second mention of one goes into a second pass, and so on. */
function inPasses(rows: readonly SubscriberRow[]): NumberedRow[][] {
  const mentions = new Map<string | number, number>()
  const passes: NumberedRow[][] = []
  rows.forEach((row, n) => {
    const key = row.id ?? row.email?.toLowerCase() ?? ''
    const pass = mentions.get(key) ?? 0
    mentions.set(key, pass + 1)
    passes[pass] ??= []
    passes[pass].push({ ...row, n })
  })
  return passes
}

/** The statements of one pass: create who is missing, lock everyone in order of address, then change what differs. */
function passOf(
  mode: WriteMode,
  rows: readonly NumberedRow[],
  pass: Pass,
  policy: ImportPolicy,
  end: PassEnd | undefined,
): SQL[] {
  const named =
    mode === 'update'
      ? sql`id = any(${sql.param(rows.map((row) => row.id))}::bigint[])`
      : sql`lower(email) = any(${sql.param(rows.map((row) => row.email?.toLowerCase()))}::text[])`
  return [
    mode === 'update' ? sql`select 0 as n where false` : createRows(mode, pass.json, policy, null, end?.created),
    // Those of this very transaction are locked already.
    sql`select id from subscribers
      where cardinality(${createdHere}) < ${rows.length} and ${named} and xmin <> pg_current_xact_id()::xid
      order by lower(email) for update`,
    updateRows(mode, pass, policy, end?.settled),
  ]
}

/** Rows as the statements read them (judge.ts). */
export async function rowsAsJson(hash_key: string, rows: readonly NumberedRow[]): Promise<string> {
  return JSON.stringify(await Promise.all(rows.map((row) => asJson(hash_key, row))))
}

async function asJson(hash_key: string, row: NumberedRow) {
  const attributes = Object.entries(row.attributes ?? {})
  return {
    ...row,
    // One spelling of a letter and its accent, so that a search finds whichever was typed; undefined is left out of JSON.
    first_name: row.first_name?.normalize('NFC') ?? row.first_name,
    last_name: row.last_name?.normalize('NFC') ?? row.last_name,
    hash: row.email === undefined ? undefined : await hashEmail(hash_key, row.email),
    attributes: Object.fromEntries(attributes.filter(([, value]) => value !== null)),
    attributes_gone: attributes.filter(([, value]) => value === null).map(([key]) => key),
  }
}
