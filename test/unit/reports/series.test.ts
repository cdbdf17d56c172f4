import { describe, expect, test } from 'vitest'
import { seriesOf } from '../../../src/reports/series.ts'

const STARTED = '2026-03-10T09:42:00.000Z'
const point = (at: string, opens: number, human_opens = 0, clicks = 0, human_clicks = 0) => ({
  ...{ at: `${at}:00:00.000Z`, opens, human_opens, clicks, human_clicks, unsubscribes: 0 },
})
const hoursLater = (hours: number) => new Date(Date.parse(STARTED) + hours * 3_600_000)

describe('hours', () => {
  test('go on from the one it started in, without gaps, as far as they have passed', () => {
    const points = [point('2026-03-10T09', 5, 2), point('2026-03-11T12', 3, 1, 2, 1)]
    const { hours, days } = seriesOf(points, STARTED, hoursLater(30))
    expect(hours).toHaveLength(31)
    expect(hours[0]).toEqual({ at: '2026-03-10T09:00:00.000Z', opens: 5, human_opens: 2, clicks: 0, human_clicks: 0 })
    expect(hours[27]).toEqual({ at: '2026-03-11T12:00:00.000Z', opens: 3, human_opens: 1, clicks: 2, human_clicks: 1 })
    expect(hours.filter(({ opens }) => opens === 0)).toHaveLength(29)
    expect(days).toEqual([])
  })

  test('are a day at least and two at most', () => {
    expect(seriesOf([], STARTED, hoursLater(0)).hours).toHaveLength(24)
    expect(seriesOf([], STARTED, hoursLater(9999)).hours).toHaveLength(48)
  })

  test('begin with what a clock behind ours put before', () => {
    const { hours } = seriesOf([point('2026-03-10T08', 1), point('2026-03-10T09', 2)], STARTED, hoursLater(1))
    expect(hours[0]?.opens).toBe(3)
  })
})

describe('days', () => {
  test('come with what the hours do not hold, and hold all', () => {
    const points = [
      point('2026-03-10T09', 5),
      point('2026-03-12T08', 1),
      point('2026-03-12T09', 2),
      point('2026-03-20T23', 4),
    ]
    expect(seriesOf(points.slice(0, 2), STARTED, hoursLater(300)).days).toEqual([])
    const { hours, days, later } = seriesOf(points, STARTED, hoursLater(300))
    expect(hours.reduce((sum, { opens }) => sum + opens, 0)).toBe(6)
    expect(days.map(({ at, opens }) => [at.slice(0, 10), opens])).toEqual([
      ['2026-03-10', 5],
      ['2026-03-11', 0],
      ['2026-03-12', 3],
      ...['13', '14', '15', '16', '17', '18', '19'].map((day) => [`2026-03-${day}`, 0]),
      ['2026-03-20', 4],
    ])
    expect(later.opens).toBe(0)
    expect(seriesOf(points.slice(0, 3), STARTED, hoursLater(300)).days).toHaveLength(7)
  })

  test('are sixty at most, and the rest is summed', () => {
    const points = [
      point('2026-03-10T09', 5),
      point('2026-05-08T23', 1),
      point('2026-05-09T00', 2),
      point('2027-01-01T00', 4, 3),
    ]
    const { days, later } = seriesOf(points, STARTED, hoursLater(9999))
    expect([days.length, days[59]?.at, days[59]?.opens]).toEqual([60, '2026-05-08T00:00:00.000Z', 1])
    expect(later).toEqual({ opens: 6, human_opens: 3, clicks: 0, human_clicks: 0 })
  })
})
