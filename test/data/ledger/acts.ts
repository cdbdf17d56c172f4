// What a sender does to the ledger, in the shortest words, for a test that decides the order itself.
import { claimBatch } from '../../../src/ledger/claim.ts'
import { advance, type Verdict } from '../../../src/ledger/record.ts'
import { ledgerSums } from '../../../src/ledger/sums.ts'
import { frozenCampaign } from '../../support/campaign.ts'
import type { TestDatabase } from '../../support/database.ts'

export const verdict = (
  subscriber_id: number,
  state: Verdict['state'],
  { delay_seconds = 60 }: { delay_seconds?: number } = {},
): Verdict => ({
  subscriber_id,
  state,
  reason: state === 'sent' || state === 'pending' ? null : 'test',
  answer: '250 ok',
  delay_seconds: state === 'deferred' ? delay_seconds : null,
  provider_message_id: null,
})

/** @param t - the test's database, asked for at each act: it is opened after the test file is read */
export const ledgerActs = (t: () => TestDatabase) => ({
  frozenCampaign: (size: number) => frozenCampaign(t(), size),

  claim: (campaign_id: number, token: string, batch = 0) =>
    claimBatch(t().db, { campaign_id, batch, token, lease_seconds: 120 }),

  /** Marks and records in batch 0. */
  step: (campaign_id: number, token: string, group_no: number, mark: readonly number[], verdicts: Verdict[] = []) =>
    advance(t().db, {
      campaign_id,
      batch: 0,
      token,
      lease_seconds: 120,
      account: 'main',
      group_no,
      mark,
      verdicts,
    }),

  /** The lease of a sender that died or went silent is over, with its rows as it left them. */
  expire: (campaign_id: number) =>
    t().sql(`update batches set lease_until = now() - interval '1 second' where campaign_id = $1`, [campaign_id]),

  sums: async (campaign_id: number) => (await ledgerSums(t().db, [campaign_id])).get(campaign_id),
})
