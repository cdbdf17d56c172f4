// What the edge knows of one visit, as it travels: a JSON line in Redis, or a message on emk-events. Neither the address
// it came from nor the user agent is in it: only what was told from them.
import type { Verdict } from './verdict.ts'

export type EventKind = 'open' | 'click' | 'unsubscribe'

/** What a reader leaves: the lists the campaign went to, or all mail. */
export type UnsubscribeScope = 'lists' | 'all'

export type EventMethod = 'GET' | 'HEAD' | 'POST'

export type Device = 'phone' | 'tablet' | 'computer'

export interface TrackingEvent {
  /** Made at the edge; a repeated delivery of the same event carries the same one. */
  event_id: string
  kind: EventKind
  campaign_id: number
  /** Null where the campaign counts without saying who; never for an unsubscribe. */
  subscriber_id: number | null
  /** The link's number for clicks, else 0. */
  link: number
  /** Unsubscribe only: the campaign's lists, or all mail. */
  scope?: UnsubscribeScope
  /** ISO 8601 UTC. */
  occurred_at: string
  method: EventMethod
  /** Number of the network (autonomous system); null when unknown. */
  asn: number | null
  /** Family of the program (agents.ts), `[a-z0-9_]{1,32}`; `unknown` for one that is in no list. */
  agent: string
  /** Two letters (ISO 3166-1); null when unknown, or when it is that of a proxy. */
  country: string | null
  /** The subdivision of the country, at most three characters (the second part of ISO 3166-2), never finer; null as above. */
  region: string | null
  /** Null when unknown, or when a proxy or a machine came. */
  device: Device | null
  /** Family of the mail client or browser, as reports show it; null as above. */
  client: string | null
  verdict: Verdict
  /** Why, `[a-z0-9_]{1,40}`; null when nothing spoke against a person. */
  reason: string | null
  /** The version of the rules that judged (rules.ts). */
  rules: number
}
