import { eventOf } from '../../src/tracking/visit.ts'
import type { Request } from './trace.ts'

/** The event that the edge makes of a request, as the line that Redis holds. */
export function lineOf(
  { at, kind, subscriber_id, link, method, headers, cf }: Request,
  { campaign_id, event_id, start }: { campaign_id: number; event_id: string; start: Date },
): string {
  const services = { now: () => new Date(start.getTime() + at), eventId: () => event_id }
  const request = { method, headers: new Headers(headers), cf }
  return JSON.stringify(eventOf(request, services, { kind, campaign_id, subscriber_id, link }))
}
