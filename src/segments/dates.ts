// Days and moments as text, the way attributes hold them. They are compared as text: it never fails, whatever is stored.
import { type SQL, sql } from 'drizzle-orm'

export const DAY = /^\d{4}-\d\d-\d\d$/
/** A day, or a moment in UTC. */
const SHAPE = String.raw`^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?Z)?$`
const SHAPED = new RegExp(SHAPE)

/** Whether a text is a day or moment that exists: 2026-02-30 does not. */
export function isDate(text: string): boolean {
  if (!SHAPED.test(text) || text < '0001') return false
  const time = Date.parse(`${text.slice(0, 10)}T00:00:00Z`)
  return (
    !Number.isNaN(time) &&
    new Date(time).toISOString().slice(0, 10) === text.slice(0, 10) &&
    (DAY.test(text) || !Number.isNaN(Date.parse(text)))
  )
}

/** The day after another. */
export function nextDay(day: string): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10)
}

/** A moment to the microsecond, whatever of it was left out; a day is its beginning. */
function precise(text: string): string {
  const digits = text.replace(/Z$/, '')
  return `${digits}${REST.slice(digits.length)}`.slice(0, REST.length)
}
const REST = '0000-00-00T00:00:00.000000'

const today = (days: SQL) => sql`(select to_char((now() at time zone 'utc')::date ${days}, 'YYYY-MM-DD'))`

type Comparison = 'gt' | 'gte' | 'lt' | 'lte'
const SIGNS: Record<Comparison, SQL> = { gt: sql`>`, gte: sql`>=`, lt: sql`<`, lte: sql`<=` }

/** Of a text that may hold a date: how it lies to a day (as days, in UTC) or to a moment. */
export function compareDate(text: SQL, op: Comparison, date: string): SQL {
  const day = DAY.test(date)
  const stored = day ? sql`left(${text}, 10)` : preciseOf(text)
  return dated(text, sql`${stored} ${SIGNS[op]} ${day ? date : precise(date)}::text collate "C"`)
}

/** That it is one of some days, or a moment of it; or one of some moments. */
export function isDateOf(text: SQL, dates: readonly string[]): SQL {
  const days = dates.filter((date) => DAY.test(date))
  const moments = dates.filter((date) => !DAY.test(date)).map(precise)
  const ways: SQL[] = []
  if (days.length > 0) ways.push(sql`left(${text}, 10) = any(${sql.param(days)}::text[])`)
  if (moments.length > 0) ways.push(sql`${preciseOf(text)} = any(${sql.param(moments)}::text[])`)
  return dated(text, sql.join(ways, sql` or `))
}

/** That it is one of the days from so many before today to so many after it, in UTC. */
export const inDays = (text: SQL, before: number, after: number): SQL =>
  dated(
    text,
    sql`left(${text}, 10) collate "C" between ${today(sql`- ${before}::int`)} and ${today(sql`+ ${after}::int`)}`,
  )

export const beforeDays = (text: SQL, days: number): SQL =>
  dated(text, sql`left(${text}, 10) collate "C" < ${today(sql`- ${days}::int`)}`)

/** That its day returns today or within so many days: who was born on February 29 has the 28th where there is none. */
export const anniversary = (text: SQL, days: number): SQL =>
  dated(
    text,
    sql`substr(${text}, 6, 5) = any((select array_agg(day) from (
      select to_char(d, 'MM-DD') as day from ${series(days)} d
      union all
      select '02-29' from ${series(days)} d where to_char(d, 'MM-DD') = '02-28' and extract(day from d + interval '1 day') = 1
    ) days)::text[])`,
  )

const series = (days: number) => sql`generate_series(
  date_trunc('day', now() at time zone 'utc'), date_trunc('day', now() at time zone 'utc') + make_interval(days => ${days}::int), '1 day')`

const preciseOf = (text: SQL) => {
  const digits = sql`rtrim(${text}, 'Z')`
  return sql`left(${digits} || substr(${sql.raw(`'${REST}'`)}, length(${digits}) + 1), ${sql.raw(String(REST.length))})`
}

/** `case`, as Postgres may look at the parts of an `and` in any order. */
const dated = (text: SQL, condition: SQL) => sql`case when ${text} ~ ${sql.raw(`'${SHAPE}'`)} then ${condition} end`
