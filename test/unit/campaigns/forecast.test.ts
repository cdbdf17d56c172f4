import { describe, expect, test } from 'vitest'
import { forecastOf, MAILS_PER_CONNECTION } from '../../../src/campaigns/check/forecast.ts'
import type { AccountState, Standing } from '../../../src/sending/permit.ts'

const NOW = new Date('2026-11-24T10:00:00Z')
const FREE: Standing = {
  connections: 0,
  rate_per_second: null,
  sent_last_day: 0,
  per_day: null,
  service_per_day: null,
  limited_by: null,
  down: null,
}
const account = (fields: Partial<AccountState> = {}, standing: Partial<Standing> = {}): AccountState => ({
  name: 'a',
  kind: 'smtp',
  where: 'mail.acme.example:587',
  from_domains: null,
  pool: null,
  max_connections: 4,
  rate_per_second: null,
  per_day: null,
  warm_up: null,
  bounce_domain: null,
  dkim: [],
  standing: { ...FREE, ...standing },
  ...fields,
})
const forecast = (mails: number, accounts: AccountState[], starts_at = NOW) => {
  const it = forecastOf(mails, accounts, starts_at, NOW)
  if (!it) throw new Error('no forecast')
  return it
}
const days = (it: ReturnType<typeof forecast>) => it.per_day.map(({ mails }) => mails)

test('by its connections, at the speed that is assumed of one', () => {
  const it = forecast(4 * MAILS_PER_CONNECTION * 600, [account()])
  expect(it).toMatchObject({ seconds: 600, finishes_at: '2026-11-24T10:10:00.000Z', limited_by: 'connections' })
  expect(it.per_day).toEqual([{ date: '2026-11-24', mails: 24_000 }])
})

test('by its rate, over the hours and into the next day', () => {
  const it = forecast(14 * 3600 * 20, [account({ max_connections: 40 }, { rate_per_second: 14 })])
  expect(it).toMatchObject({ seconds: 72_000, limited_by: 'rate' })
  expect(days(it)).toEqual([14 * 3600 * 14, 14 * 3600 * 6])
})

test('a rate that throttling has lowered is back before long', () => {
  const slow = account({ rate_per_second: 10 }, { rate_per_second: 0.1, limited_by: 'throttled' })
  expect(forecast(600, [slow]).seconds).toBe(60)
})

describe('a limit of 24 hours', () => {
  test('leaves a twentieth for single mails, and begins anew when the first hour is a day old', () => {
    const it = forecast(1_900, [account({ per_day: 1_000 })])
    expect(days(it)).toEqual([950, 950])
    expect(it.finishes_at?.slice(0, 13)).toBe('2026-11-25T11')
    expect(it.limited_by).toBe('day')
  })

  test('counts what was sent before', () => {
    expect(days(forecast(950, [account({ per_day: 1_000 }, { sent_last_day: 900 })]))).toEqual([50, 900])
  })

  test('is the lower of ours and the service’s', () => {
    expect(days(forecast(285, [account({ per_day: 1_000 }, { service_per_day: 100 })]))).toEqual([95, 95, 95])
  })

  test('hands over to the next account of the pool', () => {
    const it = forecast(1_900, [account({ per_day: 1_000 }), account({ name: 'b', per_day: 1_000 })])
    expect([days(it), it.accounts]).toEqual([[1_900], ['a', 'b']])
  })
})

describe('a warm-up', () => {
  const ramp = { from: '2026-11-24', per_day: [100, 200, 400], today: 100 }

  test('lets out each day what its table says, and then all', () => {
    const it = forecast(10_000, [account({ warm_up: ramp })])
    expect(it.per_day.slice(0, 2)).toEqual([
      { date: '2026-11-24', mails: 95 },
      // What went out the day before counts for 24 hours, also over midnight.
      { date: '2026-11-25', mails: 190 },
    ])
    expect(days(it).reduce((sum, mails) => sum + mails)).toBe(10_000)
    expect(it.per_day.at(-1)?.date).toBe('2026-11-27')
    expect(it.limited_by).toBe('warm_up')
  })

  test('ends at the limit of the account or its service', () => {
    const steep = { ...ramp, per_day: [100, 100_000] }
    const it = forecast(1_000, [account({ warm_up: steep }, { service_per_day: 200 })])
    expect(Math.max(...days(it))).toBe(190)
    expect(it.limited_by).toBe('day')
  })
})

test('a campaign of a later day begins then, when what was sent before no longer counts', () => {
  const it = forecast(950, [account({ per_day: 1_000 }, { sent_last_day: 1_000 })], new Date('2026-12-01T08:30:00Z'))
  expect([it.starts_at, days(it)]).toEqual(['2026-12-01T08:30:00.000Z', [950]])
})

test('an account that is down is passed over, unless there is no other', () => {
  const down = account({ name: 'd' }, { down: { reason: '535', retry_in_ms: 1 } })
  expect(forecast(10, [down, account()]).accounts).toEqual(['a'])
  expect(forecast(10, [down]).accounts).toEqual(['d'])
})

test('what takes more than a year has no end', () => {
  const it = forecast(1_000_000, [account({ per_day: 100 })])
  expect(it).toMatchObject({ seconds: null, finishes_at: null, limited_by: 'day' })
  expect(it.per_day.length).toBeGreaterThan(300)
})

test('nothing to send takes no time, and without accounts nobody can say', () => {
  expect(forecast(0, [account()])).toMatchObject({ seconds: 0, per_day: [], limited_by: null })
  expect(forecastOf(10, [], NOW, NOW)).toBeNull()
})
