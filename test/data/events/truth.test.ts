// The verdicts against visits of whom it is known who made them. `npm run bench -- verdicts` is the same with 100,000
// recipients.
import { expect, test } from 'vitest'
import { judgeTrace } from '../../../bench/traces/judged.ts'
import { mailing } from '../../../bench/traces/mailing.ts'
import { rejudgeCampaign } from '../../../src/events/rejudge-campaign.ts'
import { openTestDatabase } from '../../support/database.ts'
import { AT, differences } from './events.ts'

test('machines are told from people', async () => {
  const t = await openTestDatabase()
  try {
    const judged = await judgeTrace(t.db, mailing(2000, 6), new Date(AT), 500)
    const { precision, recall, clicks_misjudged, visits_misjudged, matrix } = judged
    const shown = JSON.stringify(judged, null, 1)
    expect(precision, shown).toBeGreaterThanOrEqual(0.99)
    expect(recall, shown).toBeGreaterThanOrEqual(0.95)
    expect(clicks_misjudged, shown).toBeLessThan(0.01)
    expect(visits_misjudged, shown).toBeLessThan(0.01)
    // Nobody knows whether anybody looked.
    expect(matrix.open.apple_prefetch).toMatchObject({ human: 0, machine: 0 })
    expect(matrix.open.reader_by_proxy.machine).toBe(0)
    expect(await differences(t)).toEqual([])
    // What the flush found slice by slice is what is found in all of it at once.
    expect(await rejudgeCampaign(t.db, 1)).toMatchObject({ moved: 0 })
  } finally {
    await t.close()
  }
})
