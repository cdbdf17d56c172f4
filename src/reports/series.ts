import type { CampaignStats } from '../stats/schema.ts'

type Point = CampaignStats['series']['points'][number]
export type Bar = Pick<Point, 'at' | 'opens' | 'human_opens' | 'clicks' | 'human_clicks'>

export interface Series {
  /** The first 48 hours as far as they have passed, at least 24 of them: a bar or two alone would look like walls. */
  hours: Bar[]
  /**
   * Days (UTC) from the first to the last on which something happened, at least 7 and at most 60; none while the 48 hours
   * hold it all.
   */
  days: Bar[]
  /** What came after those 60 days. */
  later: Omit<Bar, 'at'>
}

const HOUR = 3_600_000
const DAY = 24 * HOUR
const LEAST_HOURS = 24
const MOST_HOURS = 48
const LEAST_DAYS = 7
const MOST_DAYS = 60

/**
 * What readers did over time, without gaps.
 *
 * @param points - by hour, those in which something happened
 * @param started_at - ISO 8601
 */
export function seriesOf(points: readonly Point[], started_at: string, now: Date): Series {
  const first = floor(Date.parse(started_at), HOUR)
  // The edge's clock may be a little behind ours.
  const timed = points.map((point) => ({ ...point, ms: Math.max(first, Date.parse(point.at)) }))
  const passed = Math.floor((now.getTime() - first) / HOUR) + 1
  const hours = bars(first, HOUR, Math.min(Math.max(passed, LEAST_HOURS), MOST_HOURS), timed)
  const last = timed.reduce((latest, { ms }) => Math.max(latest, ms), first)
  const first_day = floor(first, DAY)
  const needed = last < first + MOST_HOURS * HOUR ? 0 : Math.max(Math.floor((last - first_day) / DAY) + 1, LEAST_DAYS)
  const days = bars(first_day, DAY, Math.min(needed, MOST_DAYS), timed)
  const later = { ...NOTHING }
  if (needed > MOST_DAYS) for (const point of timed) if (point.ms >= first_day + MOST_DAYS * DAY) add(later, point)
  return { hours, days, later }
}

const NOTHING = { opens: 0, human_opens: 0, clicks: 0, human_clicks: 0 }
const FIELDS = ['opens', 'human_opens', 'clicks', 'human_clicks'] as const

function bars(first: number, width: number, count: number, points: readonly (Point & { ms: number })[]): Bar[] {
  const made = Array.from({ length: count }, (_, i) => ({ at: new Date(first + i * width).toISOString(), ...NOTHING }))
  for (const point of points) {
    const bar = made[Math.floor((point.ms - first) / width)]
    if (bar) add(bar, point)
  }
  return made
}

function add(to: Omit<Bar, 'at'>, point: Point): void {
  for (const field of FIELDS) to[field] += point[field]
}

const floor = (ms: number, width: number) => Math.floor(ms / width) * width
