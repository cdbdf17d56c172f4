import { ANYBODY } from '../tokens/nobody.ts'
import { agentOf, deviceOf, familyOf } from './agents.ts'
import type { EventKind, TrackingEvent, UnsubscribeScope } from './event.ts'
import { judge, RULES_VERSION } from './rules.ts'
import type { TrackingServices } from './services.ts'

/** Who came, for which campaign, by what. */
export interface Visit {
  kind: EventKind
  campaign_id: number
  subscriber_id: number
  link?: number
  scope?: UnsubscribeScope
}

/** What is read of a request. */
export interface VisitRequest {
  method: string
  headers: { get(name: string): string | null }
  /** What Cloudflare knows of it (`request.cf`). */
  cf?: unknown
}

/** What a request shows of whoever sent it. */
export type Classified = Pick<
  TrackingEvent,
  'method' | 'asn' | 'agent' | 'country' | 'region' | 'device' | 'client' | 'verdict' | 'reason' | 'rules'
>

/** The event of one visit: its id and time are fixed here, so that however often it is delivered it counts once. */
export function eventOf(
  request: VisitRequest,
  services: Pick<TrackingServices, 'eventId' | 'now'>,
  visit: Visit,
): TrackingEvent {
  return {
    event_id: services.eventId(),
    link: 0,
    ...visit,
    subscriber_id: visit.subscriber_id === ANYBODY ? null : visit.subscriber_id,
    occurred_at: services.now().toISOString(),
    ...classify(request, visit.kind),
  }
}

/**
 * Reduces a request to what is kept of it, and judges it. Never throws, whatever the headers hold. A proxy's place is not
 * its reader's, and nobody reads on a machine's device: those are left out.
 */
export function classify({ method, headers, cf }: VisitRequest, kind: EventKind): Classified {
  const user_agent = headers.get('User-Agent')
  const { asn, country, region } = placeOf(cf)
  const agent = agentOf(user_agent)
  const { sort, client } = familyOf(agent)
  const known_method = method === 'HEAD' || method === 'POST' ? method : 'GET'
  const judgement = judge({ kind, method: known_method, asn, agent, prefetch: isPrefetch(headers) })
  const apple = judgement.reason === 'apple_mpp'
  const proxy = sort === 'proxy'
  const machine = judgement.verdict === 'machine'
  return {
    method: known_method,
    asn,
    agent,
    country: proxy ? null : country,
    // Apple's relay comes out in the reader's country, but not in the reader's town.
    region: proxy || apple ? null : region,
    device: proxy || machine ? null : deviceOf(user_agent),
    client: apple ? 'apple_mail' : machine ? null : client,
    ...judgement,
    rules: RULES_VERSION,
  }
}

/** What browsers say when they load before anybody has asked: Chrome and Safari by the first two, Firefox by `X-Moz`. */
function isPrefetch(headers: VisitRequest['headers']): boolean {
  return ['Sec-Purpose', 'Purpose', 'X-Purpose', 'X-Moz'].some((name) => {
    const purpose = headers.get(name)
    return purpose !== null && /^\s{0,8}(?:prefetch|prerender|preview|instant)/i.test(purpose)
  })
}

/** Where a request came from, of `request.cf`. Cloudflare says XX for a country that it does not know, and T1 for Tor. */
export function placeOf(cf: unknown): Pick<TrackingEvent, 'asn' | 'country' | 'region'> {
  const { asn, country, regionCode } = typeof cf === 'object' && cf !== null ? (cf as Record<string, unknown>) : {}
  const known = typeof country === 'string' && /^[A-Z]{2}$/.test(country) && country !== 'XX' ? country : null
  return {
    asn: typeof asn === 'number' && Number.isInteger(asn) && asn > 0 && asn < 2 ** 32 ? asn : null,
    country: known,
    region: known && typeof regionCode === 'string' && /^[A-Z0-9]{1,3}$/.test(regionCode) ? regionCode : null,
  }
}
