import { afterAll, beforeAll, expect, test } from 'vitest'
import { listDeliveries } from '../../../src/ledger/list.ts'
import { DELIVERY_STATES, type DeliveryState } from '../../../src/ledger/status.ts'
import { frozenCampaign } from '../../support/campaign.ts'
import { openTestDatabase, type TestDatabase } from '../../support/database.ts'

let t: TestDatabase
let campaign_id: number
beforeAll(async () => {
  t = await openTestDatabase()
  campaign_id = (await frozenCampaign(t, 950)).campaign_id
  // Thinly spread: whole batches without a failure, one batch with two, the last with one.
  await t.sql(
    `update deliveries set state = case
         when batch in (2, 5) and subscriber_id % 50 = 0 then 'failed'
         when batch = 9 then 'unconfirmed'
         when batch < 4 then 'sent'
         else state end,
       reason = case when batch in (2, 5, 9) then 'test' end
     where campaign_id = $1`,
    [campaign_id],
  )
  await t.sql(
    `update batches b set open = s.open, sent = s.sent, failed = s.failed, unconfirmed = s.unconfirmed from (
       select batch, count(*) filter (where state = 'pending') as open, count(*) filter (where state = 'sent') as sent,
         count(*) filter (where state = 'failed') as failed, count(*) filter (where state = 'unconfirmed') as unconfirmed
       from deliveries where campaign_id = $1 group by batch) s
     where b.campaign_id = $1 and b.n = s.batch`,
    [campaign_id],
  )
})
afterAll(() => t.close())

async function pages(state: DeliveryState | null, limit: number) {
  const ids: number[] = []
  for (let after = 0; ; ) {
    const rows = await listDeliveries(t.db, { campaign_id, after, limit, state })
    for (const row of rows) {
      if (state) expect(row.state).toBe(state)
      ids.push(row.subscriber_id)
    }
    const last = rows.at(-1)
    if (rows.length < limit || !last) return ids
    after = last.subscriber_id
  }
}

test.each([...DELIVERY_STATES, null])('pages of state %s hold every row of it once, in order', async (state) => {
  const rows = await t.sql<{ id: number }>(
    'select subscriber_id::int as id from deliveries where campaign_id = $1 and ($2::text is null or state = $2) order by 1',
    [campaign_id, state],
  )
  const wanted = rows.map(({ id }) => id)
  if (state === 'failed') expect(wanted.length).toBeGreaterThan(2)
  for (const limit of [1, 7, 200]) {
    if (limit === 1 && wanted.length > 20) continue
    expect(await pages(state, limit)).toEqual(wanted)
  }
})
