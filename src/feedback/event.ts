// What the world answers to a mail after it was handed over, in one form for every way the news comes in.

/**
 * - `delivered`: the recipient's server took it
 * - `deferred`: the service is still trying
 * - `soft_bounce`: not taken for now (full, too large, unreachable): counts against the address only when it repeats
 * - `hard_bounce`: the address does not exist
 * - `blocked`: refused for who sends or what is sent (5.7.x, reputation): says nothing about the address
 * - `complaint`: the recipient called it spam
 */
export const FEEDBACK_KINDS = ['delivered', 'deferred', 'soft_bounce', 'hard_bounce', 'blocked', 'complaint'] as const
export type FeedbackKind = (typeof FEEDBACK_KINDS)[number]

/** Where news came from: a service's webhook, the answer at the time of sending, a bounce by mail. */
export const FEEDBACK_SOURCES = ['ses', 'sendgrid', 'answer', 'mail'] as const
export type FeedbackSource = (typeof FEEDBACK_SOURCES)[number]

/** One piece of news about one mail. Texts from outside are bounded here and escaped wherever they are shown. */
export interface FeedbackEvent {
  /** The same however often it is told: the source's own id, or a hash of what it said. At most 200 characters. */
  event_id: string
  source: FeedbackSource
  kind: FeedbackKind
  /** Our own ids, as the mail carried them (tags, arguments, return path); 0 where it carried none. */
  campaign_id: number
  subscriber_id: number
  /** The address as the source names it, lower case; null where it names none that can be trusted. */
  recipient: string | null
  /** ISO 8601 UTC. */
  occurred_at: string
  /** The far server's own words, one line, at most 500 characters. */
  diagnostic: string | null
  /** What came in, as it came, at most 32,000 characters. */
  raw: string | null
}
