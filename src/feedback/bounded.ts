// News as the database takes it, whoever made it: within its bounds, and without what Postgres refuses.
import { normaliseEmail } from '../subscribers/email.ts'
import type { FeedbackEvent } from './event.ts'

/** In characters. */
const EVENT_ID_LIMIT = 200
const DIAGNOSTIC_LIMIT = 500
const RAW_LIMIT = 32_000

/**
 * One event as it is stored. An id of ours that cannot be one becomes 0, which is nobody's; an address that is none is left
 * out, and so is one from a mail, which anybody may have forwarded on the way; a moment that is none becomes `now`, and so
 * does one to come.
 */
export async function boundedEvent(event: FeedbackEvent, now: Date): Promise<FeedbackEvent> {
  const at = Date.parse(event.occurred_at)
  return {
    event_id: await boundedId(event.event_id),
    source: event.source,
    kind: event.kind,
    campaign_id: idOf(event.campaign_id),
    subscriber_id: idOf(event.subscriber_id),
    recipient: event.recipient === null || event.source === 'mail' ? null : addressOf(event.recipient),
    occurred_at: new Date(at > 0 && at < now.getTime() ? at : now).toISOString(),
    diagnostic: event.diagnostic === null ? null : lineOf(event.diagnostic),
    raw: event.raw === null ? null : storable(event.raw, RAW_LIMIT),
  }
}

const idOf = (id: number) => (Number.isSafeInteger(id) && id > 0 ? id : 0)

function addressOf(text: string): string | null {
  const address = normaliseEmail(text)
  return 'email' in address ? address.email.toLowerCase() : null
}

/** Text with what Postgres refuses (NUL, halves of a surrogate pair) replaced. */
function storable(text: string, limit: number): string {
  return text.slice(0, limit).toWellFormed().replaceAll('\0', '\ufffd')
}

/** One line without control characters; null when nothing is left. */
function lineOf(text: string): string | null {
  // Twice the limit is looked at, so that blanks at its start cost nothing.
  const line = text.slice(0, DIAGNOSTIC_LIMIT * 2).replace(/[\p{Cc}\s]+/gu, ' ')
  return line.trim().slice(0, DIAGNOSTIC_LIMIT).toWellFormed() || null
}

/** One that is too long is hashed: cut off, two could become the same. */
async function boundedId(event_id: string): Promise<string> {
  const id = storable(event_id, event_id.length)
  if (id.length <= EVENT_ID_LIMIT) return id
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(id))
  return `sha256:${Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('')}`
}
