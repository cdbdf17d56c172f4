import type { EventKind, TrackingEvent, UnsubscribeScope } from '../tracking/event.ts'

const KINDS = new Set<unknown>(['open', 'click', 'unsubscribe'] satisfies EventKind[])
const SCOPES = new Set<unknown>(['lists', 'all'] satisfies UnsubscribeScope[])
/** Postgres' `integer`. */
const MAX_LINK = 2 ** 31 - 1

/**
 * Reads one event as the edge wrote it: a JSON line, or an already decoded queue message. What it accepts, Postgres
 * accepts too: one bad line must not hold up the others.
 *
 * @returns null for everything else
 */
export function readEvent(source: unknown): TrackingEvent | null {
  const value = typeof source === 'string' ? parseJson(source) : source
  if (typeof value !== 'object' || value === null) return null
  const { event_id, kind, campaign_id, subscriber_id, link, scope, occurred_at, country } = value as Record<
    keyof TrackingEvent,
    unknown
  >
  if (typeof event_id !== 'string' || !/^[\w-]{1,64}$/.test(event_id)) return null
  if (!KINDS.has(kind) || !isId(campaign_id) || !isId(subscriber_id)) return null
  if (!Number.isInteger(link) || (link as number) < 0 || (link as number) > MAX_LINK) return null
  if (kind === 'click' ? link === 0 : link !== 0) return null
  if (kind === 'unsubscribe' ? !SCOPES.has(scope) : scope !== undefined) return null
  if (!isInstant(occurred_at)) return null
  if (country !== null && !(typeof country === 'string' && /^[A-Z]{2}$/.test(country))) return null
  return value as TrackingEvent
}

/** As `toISOString` writes it, in this millennium. */
function isInstant(value: unknown): value is string {
  if (typeof value !== 'string' || !/^2\d{3}-/.test(value)) return false
  const at = new Date(value)
  return !Number.isNaN(at.getTime()) && at.toISOString() === value
}

const isId = (value: unknown) => Number.isSafeInteger(value) && (value as number) > 0

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return null
  }
}
