// How many mails the last 24 hours hold, by the hour in which their permits ended.

/** Hour since 1970, and mails sent by permits that ended in it. */
export type Day = [hour: number, mails: number][]

/** One limit of a day and what counts against it. */
export interface DayLimit {
  limit: number
  count: number
}

export const HOUR = 3_600_000
const DAY = 24 * HOUR

/** Ms at which an hour no longer counts: when its last minute is a day old. */
const fallsOut = (hour: number) => (hour + 1) * HOUR + DAY

/** Mails in the last 24 hours: a little more than that, never less. */
export function countDay(day: Day, now: number): number {
  return day.reduce((sum, [hour, mails]) => sum + (fallsOut(hour) > now ? mails : 0), 0)
}

/** Counts mails that may have been sent until `at`. @returns the day without what is too old to count */
export function addToDay(day: Day, mails: number, at: number): Day {
  const hour = Math.floor(at / HOUR)
  const kept = day.filter(([other]) => other !== hour && fallsOut(other) > at)
  const before = day.find(([other]) => other === hour)?.[1] ?? 0
  return before + mails > 0 ? [...kept, [hour, before + mails]] : kept
}

/** Ms until the oldest hour no longer counts; null when none does. */
export function untilNextHour(day: Day, now: number): number | null {
  const ends = day.map(([hour]) => fallsOut(hour)).filter((end) => end > now)
  return ends.length > 0 ? Math.min(...ends) - now : null
}

/**
 * Mails left of a day. The last twentieth is kept for single mails, of two mails one; a day of a single mail is for whoever
 * comes first.
 */
export function leftOf({ limit, count }: DayLimit, ahead: boolean): number {
  const kept = ahead || limit < 2 ? 0 : Math.max(1, Math.floor(limit / 20))
  return Math.max(0, Math.floor(limit) - kept - count)
}
