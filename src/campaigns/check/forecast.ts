// How long a campaign takes under the limits of the accounts that may carry it: the gates' own arithmetic, hour by hour.
import { capOf } from '../../providers/warm-up.ts'
import { addToDay, countDay, type Day, HOUR, leftOf } from '../../sending/gate/day.ts'
import type { AccountState } from '../../sending/permit.ts'

/** Mails a second over one connection where no rate is configured: assumed, a tenth of a second for each. */
export const MAILS_PER_CONNECTION = 10
/** Batches that are sent at once, over all accounts: four in each of the ten invocations of the queue's consumer. */
const MOST_CONNECTIONS = 40
/** No forecast goes further. In days. */
const HORIZON = 366

/**
 * What holds a campaign up for the longest part of its time.
 * - `warm_up`: a new account's mails of the day; `day`: an account's limit of 24 hours, or its service's
 * - `rate`: the mails a second that are configured, or that the service allows
 * - `connections`: nothing but how many connections there are
 */
export const FORECAST_LIMITS = ['warm_up', 'day', 'rate', 'connections'] as const
export type ForecastLimit = (typeof FORECAST_LIMITS)[number]

export interface Forecast {
  starts_at: string
  /** From start to end; null where it takes more than a year, or nobody can say. */
  seconds: number | null
  finishes_at: string | null
  /** Days in UTC on which mails go out. */
  per_day: { date: string; mails: number }[]
  limited_by: ForecastLimit | null
  /** Who carries it, in the order in which they take over. */
  accounts: string[]
}

/** One account on its way through the forecast. */
interface Carrier {
  account: AccountState
  day: Day
  mails_per_second: number
  rated: boolean
}

/**
 * @param accounts - that may carry it, the first choice first; another takes over when one is at the end of its day
 * @param now - the moment at which `standing` holds; what an account has sent in the last 24 hours is taken to have been sent now
 */
export function forecastOf(
  mails: number,
  accounts: readonly AccountState[],
  starts_at: Date,
  now: Date,
): Forecast | null {
  const up = accounts.filter(({ standing }) => !standing?.down)
  // Who is down is tried again by itself: the forecast is of when it is back.
  const carriers = (up.length > 0 ? up : accounts).map((account) => carrierOf(account, now))
  if (carriers.length === 0) return null
  const start = Math.max(starts_at.getTime(), now.getTime())
  const horizon = start + HORIZON * 24 * HOUR
  const spent: Record<ForecastLimit, number> = { warm_up: 0, day: 0, rate: 0, connections: 0 }
  const per_day = new Map<string, number>()
  let left = mails
  let at = start
  let finish = start
  while (left > 0 && at < horizon) {
    const end = (Math.floor(at / HOUR) + 1) * HOUR
    const hour = sendHour(carriers, left, at, end, spent)
    if (hour.sent > 0) {
      const date = new Date(at).toISOString().slice(0, 10)
      per_day.set(date, (per_day.get(date) ?? 0) + hour.sent)
      finish = hour.until
    }
    left -= hour.sent
    // Parts of a mail are the arithmetic's, not the post's.
    if (left < 1e-6) left = 0
    at = end
  }
  const done = left === 0
  const [limited_by] = FORECAST_LIMITS.filter((limit) => spent[limit] > 0).sort((a, b) => spent[b] - spent[a])
  return {
    starts_at: new Date(start).toISOString(),
    seconds: done ? Math.ceil((finish - start) / 1000) : null,
    finishes_at: done ? new Date(finish).toISOString() : null,
    per_day: whole(per_day),
    limited_by: limited_by ?? null,
    accounts: carriers.map(({ account }) => account.name),
  }
}

function carrierOf(account: AccountState, now: Date): Carrier {
  const { standing } = account
  const connected = Math.min(account.max_connections, MOST_CONNECTIONS) * MAILS_PER_CONNECTION
  // A rate that was lowered because the service throttled us recovers within the hour.
  const lowered = standing?.limited_by === 'throttled'
  const rate = (lowered ? account.rate_per_second : standing?.rate_per_second) ?? account.rate_per_second ?? connected
  return {
    account,
    day: standing ? addToDay([], standing.sent_last_day, now.getTime()) : [],
    mails_per_second: Math.min(rate, connected),
    rated: rate < connected,
  }
}

function sendHour(
  carriers: readonly Carrier[],
  mails: number,
  from: number,
  end: number,
  spent: Record<ForecastLimit, number>,
): { sent: number; until: number } {
  let sent = 0
  let at = from
  let waits: ForecastLimit = 'day'
  for (const carrier of carriers) {
    const { left, limit } = leftNow(carrier, from)
    const takes = Math.min(mails - sent, left, ((end - at) / 1000) * carrier.mails_per_second)
    if (takes > 0) {
      const ms = (takes / carrier.mails_per_second) * 1000
      carrier.day = addToDay(carrier.day, takes, from)
      spent[carrier.rated ? 'rate' : 'connections'] += ms
      sent += takes
      at += ms
    }
    // One that is only busy is waited for; at the end of its day the next one takes over.
    if (left - takes > 0 || sent >= mails) return { sent, until: at }
    waits = limit
  }
  spent[waits] += Math.max(0, end - at)
  return { sent, until: at }
}

/** Mails that an account may still send at this moment, and what says so. */
function leftNow({ account, day }: Carrier, at: number): { left: number; limit: ForecastLimit } {
  const count = countDay(day, at)
  const own = capOf(account, new Date(at))
  const service = account.standing?.service_per_day ?? null
  const limit = Math.min(own ?? Number.POSITIVE_INFINITY, service ?? Number.POSITIVE_INFINITY)
  if (limit === Number.POSITIVE_INFINITY) return { left: limit, limit: 'day' }
  const warming = limit === own && own !== account.per_day
  return { left: leftOf({ limit, count }, false), limit: warming ? 'warm_up' : 'day' }
}

/** Whole mails that add up to the whole. */
function whole(per_day: ReadonlyMap<string, number>): Forecast['per_day'] {
  let exact = 0
  let told = 0
  return [...per_day].map(([date, mails]) => {
    exact += mails
    const rounded = Math.round(exact) - told
    told += rounded
    return { date, mails: rounded }
  })
}
