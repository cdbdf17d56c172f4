import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { BATCH_SIZE } from '../ledger/status.ts'
import type { LedgerSums } from '../ledger/sums.ts'

/** Why mails are in a state, most first. */
export interface Reason {
  reason: string
  mails: number
  /** What their servers said most often, in their own words; null where nobody was asked. */
  example: string | null
}

export type CountedState = 'failed' | 'skipped' | 'unconfirmed' | 'open'
export type Reasons = Record<CountedState, { reasons: Reason[]; looked_at: number }>

/** The newest batches that have such rows: of up to 100 each, however large the campaign. */
const BATCHES_LOOKED_AT = 50
const MOST_REASONS = 5
/** Characters of a server's answer. */
const QUOTED = 300

const STATES: Record<CountedState, string> = {
  failed: 'failed',
  skipped: 'skipped',
  unconfirmed: 'unconfirmed',
  // Of the open ones only those have a reason that are to be tried again.
  open: 'deferred',
}

/**
 * The commonest reasons of each state, from a bounded look: batches count their rows by state, so a few failures among a
 * million rows are found at once, and of many the newest 5,000 speak for all.
 */
export async function commonestReasons(db: Database, campaign_id: number, sums: LedgerSums): Promise<Reasons> {
  const found: Reasons = {
    failed: { reasons: [], looked_at: 0 },
    skipped: { reasons: [], looked_at: 0 },
    unconfirmed: { reasons: [], looked_at: 0 },
    open: { reasons: [], looked_at: 0 },
  }
  const states = (Object.keys(found) as CountedState[]).filter((state) => sums[state] > 0)
  await Promise.all(
    states.map(async (state) => {
      const { rows } = await db.execute<Reason & { looked_at: number } & Record<string, unknown>>(
        statement(campaign_id, state),
      )
      found[state] = {
        reasons: rows.map(({ reason, mails, example }) => ({ reason, mails, example })),
        looked_at: rows[0]?.looked_at ?? 0,
      }
    }),
  )
  return found
}

/**
 * Each batch's rows are looked up by that batch's key: joined by constants, and with statistics that are older than the
 * campaign, all of its rows would be read once for each batch.
 */
const statement = (campaign_id: number, state: CountedState) => sql`
  select d.reason, count(*)::int as mails, left(mode() within group (order by d.answer), ${QUOTED}::int) as example,
    sum(count(*)) over ()::int as looked_at
  from (
    select campaign_id, n from batches where campaign_id = ${campaign_id} and ${sql.identifier(state)} > 0
    order by n desc limit ${BATCHES_LOOKED_AT}
  ) newest
  cross join lateral (
    select reason, answer from deliveries
    where campaign_id = newest.campaign_id and batch = newest.n and state = ${STATES[state]} limit ${BATCH_SIZE}
  ) d
  group by d.reason order by count(*) desc, d.reason limit ${MOST_REASONS}`
