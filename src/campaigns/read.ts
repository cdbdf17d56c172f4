import type { Database } from '../db/client.ts'
import { notFound, Problem } from '../http/problem.ts'
import { type LedgerSums, ledgerSums } from '../ledger/sums.ts'
import { type CampaignRow, findCampaign } from './store.ts'

export const NO_SUMS: LedgerSums = { audience: 0, open: 0, sent: 0, failed: 0, skipped: 0, unconfirmed: 0 }

export type ReadCampaign = CampaignRow & { deliveries: LedgerSums }

/** Campaigns with how far each is. */
export async function withSums(db: Database, rows: readonly CampaignRow[]): Promise<ReadCampaign[]> {
  const ids = rows.map((row) => row.id)
  const sums = await ledgerSums(db, ids)
  return rows.map((row) => ({ ...row, deliveries: sums.get(row.id) ?? NO_SUMS }))
}

/** @throws {Problem} not_found */
export async function readCampaign(db: Database, id: number): Promise<ReadCampaign> {
  const row = await findCampaign(db, id)
  const [campaign] = row ? await withSums(db, [row]) : []
  if (!campaign) throw notFound('campaign', id)
  return campaign
}

/**
 * For a change of status that did not happen: the campaign is not there, or not in a state that allows it.
 *
 * @param from - which it would have to be, e.g. `a sending or paused one`
 * @throws {Problem} not_found, wrong_status
 */
export async function refuseChange(db: Database, id: number, done: string, from: string): Promise<never> {
  const { status, started_at } = await readCampaign(db, id)
  const state = status === 'paused' && started_at === null ? 'scheduled and paused' : status
  throw new Problem('wrong_status', `Campaign ${id} is ${state}; only ${from} can be ${done}.`)
}
