// What the edge knows of one visit, as it travels: a JSON line in Redis, or a message on emk-events.

export type EventKind = 'open' | 'click' | 'unsubscribe'

/** What a reader leaves: the lists the campaign went to, or all mail. */
export type UnsubscribeScope = 'lists' | 'all'

export interface TrackingEvent {
  /** Made at the edge; a repeated delivery of the same event carries the same one. */
  event_id: string
  kind: EventKind
  campaign_id: number
  subscriber_id: number
  /** The link's number for clicks, else 0. */
  link: number
  /** Unsubscribe only: the campaign's lists, or all mail. */
  scope?: UnsubscribeScope
  /** ISO 8601 UTC. */
  occurred_at: string
  /** Two letters (ISO 3166-1) from the edge, never finer; null when unknown. */
  country: string | null
}
