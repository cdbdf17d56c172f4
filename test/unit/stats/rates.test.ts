import { expect, test } from 'vitest'
import { rates } from '../../../src/stats/rates.ts'
import { NOTHING, type Totals } from '../../../src/stats/store.ts'

const counts = (more: Partial<Totals>): Totals => ({ ...NOTHING, ...more })

test('where nothing was sent there is no rate', () => {
  const { denominator, ...nothing } = rates(counts({}), { sent: 0, failed: 0 })
  expect(denominator).toBe('sent')
  expect(new Set(Object.values(nothing))).toEqual(new Set([null]))
})

test('rates are of people, people and machines side by side', () => {
  const read = counts({
    ...{ opens: 90, unique_opens: 50, human_opens: 30, human_unique_opens: 20 },
    ...{ clicks: 40, unique_clicks: 30, human_clicks: 6, human_unique_clicks: 5 },
    ...{ unsubscribes: 3, unique_unsubscribes: 2, bounces: { hard: 10, soft: 7 } },
  })
  expect(rates(read, { sent: 300, failed: 10 })).toEqual({
    denominator: 'sent',
    open_rate: 0.1667,
    human_open_rate: 0.0667,
    click_rate: 0.1,
    human_click_rate: 0.0167,
    click_to_open_rate: 0.6,
    human_click_to_open_rate: 0.25,
    unsubscribe_rate: 0.0067,
    complaint_rate: 0,
    bounce_rate: 0.0323,
  })
})

test.each([
  ['of all', 100, 'delivered', 0.2],
  ['of four fifths', 80, 'delivered', 0.25],
  ['of fewer, as while it is being sent, or by accounts of which one tells nothing', 79, 'sent', 0.2],
  ['of none', 0, 'sent', 0.2],
] as const)('with news of delivery %s', (_, delivered, denominator, open_rate) => {
  expect(rates(counts({ delivered, opens: 20, unique_opens: 20 }), { sent: 100, failed: 0 })).toMatchObject({
    denominator,
    open_rate,
  })
})

test('a campaign that counts without saying who has no rate of people', () => {
  const counted = counts({ opens: 9, human_opens: 4, clicks: 3 })
  expect(rates(counted, { sent: 10, failed: 0 })).toMatchObject({
    open_rate: null,
    human_open_rate: null,
    click_rate: null,
    human_click_rate: 0,
    click_to_open_rate: null,
    unsubscribe_rate: 0,
  })
})
