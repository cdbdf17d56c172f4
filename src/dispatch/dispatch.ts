import { sql } from 'drizzle-orm'
import type { ResolvedAudience } from '../campaigns/audience.ts'
import type { CampaignStatus } from '../campaigns/status.ts'
import type { Database } from '../db/client.ts'
import { completeCampaign } from '../ledger/complete.ts'
import { freezePage, PAGE_SIZE } from '../ledger/freeze.ts'
import { nextPointers } from '../ledger/pointers.ts'
import type { BatchPointer, DispatchMessage } from './message.ts'

/** One invocation freezes and enqueues for about this long, in ms, then enqueues its own continuation. */
const BUDGET = 20_000
/** What one `sendBatch` takes (Cloudflare Queues limit). */
const SEND_BATCH = 100

export interface Dispatcher {
  db: Database
  dispatch: { send(message: DispatchMessage): Promise<unknown> }
  sends: { sendBatch(messages: Iterable<{ body: BatchPointer }>): Promise<unknown> }
  now: () => Date
  page_size?: number
}

/**
 * Works on one campaign: freezes the next pages of its audience and sends a pointer for every batch from
 * `message.enqueued` on. Sending starts while freezing goes on. Everything may be repeated: a page is frozen once by
 * compare-and-set, and a pointer that comes twice meets the batch's lease.
 */
export async function dispatchCampaign(d: Dispatcher, message: DispatchMessage): Promise<void> {
  const { campaign_id } = message
  const deadline = d.now().getTime() + BUDGET
  let enqueued = message.enqueued
  while (true) {
    const campaign = await readProgress(d.db, campaign_id)
    if (campaign?.status !== 'sending') return
    const frozen = campaign.complete
      ? null
      : await freezePage(d.db, campaign_id, campaign.frozen_to, campaign.audience, d.page_size ?? PAGE_SIZE)

    let pointers: number[]
    do {
      pointers = await nextPointers(d.db, campaign_id, enqueued, SEND_BATCH)
      if (pointers.length === 0) break
      await d.sends.sendBatch(pointers.map((batch) => ({ body: { campaign_id, batch } })))
      enqueued = (pointers.at(-1) ?? enqueued) + 1
    } while (pointers.length === SEND_BATCH && d.now().getTime() < deadline)

    if (pointers.length < SEND_BATCH && (campaign.complete || frozen?.complete)) {
      // An audience of nobody, or one whose last batch ended before the freeze did, has nobody else to end it.
      await completeCampaign(d.db, campaign_id)
      return
    }
    if (d.now().getTime() >= deadline) {
      await d.dispatch.send({ campaign_id, enqueued })
      return
    }
  }
}

interface Progress {
  status: CampaignStatus
  audience: ResolvedAudience
  frozen_to: number
  complete: boolean
}

async function readProgress(db: Database, campaign_id: number): Promise<Progress | undefined> {
  const { rows } = await db.execute<Progress & Record<string, unknown>>(sql`
    select status, audience || jsonb_strip_nulls(jsonb_build_object('segments', segments)) as audience,
      frozen_to::float8 as frozen_to, frozen_at is not null as complete
    from campaigns where id = ${campaign_id}`)
  return rows[0]
}
