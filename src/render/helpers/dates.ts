import type { HelperOptions } from '../handlebars/frame.ts'
import { localeLiteral, localeOf, timezoneLiteral, timezoneOf } from './person.ts'
import { type Literal, type MailHelper, namedArgument, oneOf } from './signature.ts'

// In the recipient's language and time zone. A missing value prints nothing; one that is there and cannot be read fails
// this recipient's mail: nobody reads "Invalid Date", or "your trial ends on".

const STYLES = ['short', 'medium', 'long', 'full'] as const

const FORMATS: Readonly<Record<string, Intl.DateTimeFormatOptions>> = {
  short: { dateStyle: 'short' },
  medium: { dateStyle: 'medium' },
  long: { dateStyle: 'long' },
  full: { dateStyle: 'full' },
  time: { timeStyle: 'short' },
  datetime: { dateStyle: 'medium', timeStyle: 'short' },
  weekday: { weekday: 'long' },
  day: { day: 'numeric', month: 'long' },
  month: { month: 'long', year: 'numeric' },
  year: { year: 'numeric' },
}
/** 2026-06-01, whatever the language. */
const ISO = 'iso'
const NAMES = [...Object.keys(FORMATS), ISO]

const date: MailHelper = {
  least: 1,
  most: 2,
  form: 'value',
  literals: [dateLiteral, oneOf(NAMES)],
  named: { time: oneOf(STYLES), timezone: timezoneLiteral, locale: localeLiteral },
  call(...args) {
    const options = args.pop() as HelperOptions
    const [value, format = 'medium'] = args
    if (value == null || value === '') return ''
    const read = readDate(value)
    if (!read) throw new Error('date: the value is not a date such as 2026-06-01 or 2026-06-01T09:00:00Z')
    // A day is the same day everywhere.
    const timezone = read.day_only ? 'UTC' : timezoneOf(options)
    if (format === ISO) return formatter(options, 'sv-SE', timezone, ISO, { dateStyle: 'short' }).format(read.time)
    const style = typeof format === 'string' && Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined
    if (!style) throw new Error(`date: the format is not one of ${NAMES.join(', ')}`)
    const time = namedArgument(options, 'time')
    if (time === undefined)
      return formatter(options, localeOf(options), timezone, String(format), style).format(read.time)
    if (!STYLES.includes(time as (typeof STYLES)[number]) || !style.dateStyle) {
      throw new Error(`date: time is one of ${STYLES.join(', ')}, beside a format that is one of them, too`)
    }
    const with_time = { ...style, timeStyle: time as (typeof STYLES)[number] }
    return formatter(options, localeOf(options), timezone, `${format} ${time}`, with_time).format(read.time)
  },
}

export const DATES = { date }

function dateLiteral(value: Literal): string | null {
  return readDate(value) ? null : `must be a date such as "2026-06-01", not ${JSON.stringify(value)}`
}

/** Below it a number is Unix time in seconds (it ends in the year 5138), from it on in milliseconds (it begins in 1973). */
const MILLISECONDS = 100_000_000_000
/** ISO 8601: a day, or a moment; without an offset the moment is UTC. */
const WRITTEN = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?\s*(Z|[+-]\d\d(?::?\d\d)?)?)?$/i

/** Days in other orders (01/06/2026) are not guessed at. */
function readDate(value: unknown): { time: number; day_only: boolean } | null {
  if (typeof value === 'number' || (typeof value === 'string' && /^-?\d{9,13}$/.test(value))) {
    const number = Number(value)
    const time = Math.abs(number) < MILLISECONDS ? number * 1000 : number
    return Number.isNaN(new Date(time).getTime()) ? null : { time, day_only: false }
  }
  const match = typeof value === 'string' ? WRITTEN.exec(value.trim()) : null
  if (!match) return null
  const [, year, month, day, hour, minute, second, fraction, offset] = match
  const ms = Number((fraction ?? '').slice(0, 3).padEnd(3, '0'))
  const parts = [year, month, day, hour, minute, second].map((part) => Number(part ?? 0))
  const [y = 0, mo = 0, d = 0, h = 0, mi = 0, s = 0] = parts
  const made = new Date(0)
  made.setUTCFullYear(y, mo - 1, d)
  if (y < 1000 || made.getUTCMonth() !== mo - 1 || made.getUTCDate() !== d || h > 23 || mi > 59 || s > 59) return null
  made.setUTCHours(h, mi, s, ms)
  return { time: made.getTime() - offsetOf(offset), day_only: hour === undefined }
}

/** @returns ms */
function offsetOf(offset: string | undefined): number {
  const match = /^([+-])(\d\d):?(\d\d)?$/.exec(offset ?? '')
  if (!match) return 0
  const minutes = Number(match[2]) * 60 + Number(match[3] ?? 0)
  return (match[1] === '-' ? -minutes : minutes) * 60_000
}

const formatters = new Map<string, Intl.DateTimeFormat>()
const KEPT = 200
/** Making one costs as much as so many steps of a render. */
const STEPS = 1000

function formatter(
  { spend }: HelperOptions,
  locale: string,
  timezone: string,
  name: string,
  style: Intl.DateTimeFormatOptions,
): Intl.DateTimeFormat {
  const key = `${locale} ${timezone} ${name}`
  const known = formatters.get(key)
  if (known) return known
  spend(STEPS)
  const made = new Intl.DateTimeFormat(locale, { ...style, timeZone: timezone })
  if (formatters.size >= KEPT) formatters.clear()
  formatters.set(key, made)
  return made
}
