import type { Device, EventKind, EventMethod, TrackingEvent, UnsubscribeScope } from '../tracking/event.ts'
import { VERDICTS } from '../tracking/verdict.ts'

const METHODS = ['GET', 'HEAD', 'POST'] as const satisfies EventMethod[]
const DEVICES = ['phone', 'tablet', 'computer'] as const satisfies Device[]
const KINDS = ['open', 'click', 'unsubscribe'] as const satisfies EventKind[]
const SCOPES = ['lists', 'all'] as const satisfies UnsubscribeScope[]
/** Postgres' `smallint` and `integer`. */
const MAX_RULES = 2 ** 15 - 1
const MAX_LINK = 2 ** 31 - 1
const MAX_ASN = 2 ** 32 - 1

/**
 * Reads one event as the edge wrote it: a JSON line, or an already decoded queue message. What it accepts, Postgres
 * accepts too: one bad line must not hold up the others. Lines without the fields that came later are read as the visit
 * of somebody of whom nothing is known.
 *
 * @returns null for everything else
 */
export function readEvent(source: unknown): TrackingEvent | null {
  const value = typeof source === 'string' ? parseJson(source) : source
  if (typeof value !== 'object' || value === null) return null
  const given = value as Partial<Record<keyof TrackingEvent, unknown>>
  const { event_id, kind, campaign_id, subscriber_id, link, scope, occurred_at, country } = given
  const { method = 'GET', asn = null, agent = 'unknown', region = null, device = null, client = null } = given
  const { verdict = 'unsure', reason = null, rules = 0 } = given

  if (!matches(event_id, /^[\w-]{1,64}$/)) return null
  if (!oneOf(KINDS, kind) || !isNumber(campaign_id, 1)) return null
  // Who leaves is always known.
  if (subscriber_id === null ? kind === 'unsubscribe' : !isNumber(subscriber_id, 1)) return null
  if (!isNumber(link, kind === 'click' ? 1 : 0, kind === 'click' ? MAX_LINK : 0)) return null
  if (kind === 'unsubscribe' ? !oneOf(SCOPES, scope) : scope !== undefined) return null
  if (!isInstant(occurred_at)) return null
  if (country !== null && !matches(country, /^[A-Z]{2}$/)) return null
  if (region !== null && !matches(region, /^[A-Z0-9]{1,3}$/)) return null
  if (!oneOf(METHODS, method) || !matches(agent, /^[a-z0-9_]{1,32}$/)) return null
  if (asn !== null && !isNumber(asn, 0, MAX_ASN)) return null
  if (device !== null && !oneOf(DEVICES, device)) return null
  if (client !== null && !matches(client, /^[a-z0-9_]{1,32}$/)) return null
  if (!oneOf(VERDICTS, verdict) || !isNumber(rules, 0, MAX_RULES)) return null
  if (reason !== null && !matches(reason, /^[a-z0-9_]{1,40}$/)) return null
  return {
    ...{ event_id, kind, campaign_id, subscriber_id: subscriber_id as number | null, link },
    ...(kind === 'unsubscribe' ? { scope: scope as UnsubscribeScope } : {}),
    ...{ occurred_at, method, asn, agent, country, region, device, client, verdict, reason, rules },
  }
}

/** How far the edge's clock may be ahead of ours, in ms. */
const SKEW = 300_000

/**
 * Whether an event can have happened when it says. An open or click from the future would count in hours to come, and one
 * whose month is forgotten would count without ever being found in a recount: neither comes from a real edge. An
 * unsubscribe is honoured whatever its clock said.
 *
 * @param retention_days - EVENT_RETENTION_DAYS
 */
export function isTimely({ kind, occurred_at }: TrackingEvent, now: Date, retention_days: number): boolean {
  const age = now.getTime() - Date.parse(occurred_at)
  return kind === 'unsubscribe' || (age >= -SKEW && age <= retention_days * 86_400_000)
}

/** As `toISOString` writes it, in this millennium. */
function isInstant(value: unknown): value is string {
  if (typeof value !== 'string' || !/^2\d{3}-/.test(value)) return false
  const at = new Date(value)
  return !Number.isNaN(at.getTime()) && at.toISOString() === value
}

const isNumber = (value: unknown, least: number, most = Number.MAX_SAFE_INTEGER): value is number =>
  Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most

const oneOf = <T>(values: readonly T[], value: unknown): value is T => (values as readonly unknown[]).includes(value)

const matches = (value: unknown, pattern: RegExp): value is string => typeof value === 'string' && pattern.test(value)

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return null
  }
}
