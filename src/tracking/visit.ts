import type { EventKind, TrackingEvent, UnsubscribeScope } from './event.ts'
import type { TrackingServices } from './services.ts'

/** Who came, for which campaign, by what. */
export interface Visit {
  kind: EventKind
  campaign_id: number
  subscriber_id: number
  link?: number
  scope?: UnsubscribeScope
}

/** The event of one visit: its id and time are fixed here, so that however often it is delivered it counts once. */
export function eventOf(request: Request, services: TrackingServices, visit: Visit): TrackingEvent {
  return {
    event_id: services.eventId(),
    link: 0,
    ...visit,
    occurred_at: services.now().toISOString(),
    country: countryOf(request),
  }
}

/** Cloudflare says XX when it does not know and T1 for Tor. */
function countryOf(request: Request): string | null {
  const country = request.cf?.country
  return typeof country === 'string' && /^[A-Z]{2}$/.test(country) && country !== 'XX' ? country : null
}
