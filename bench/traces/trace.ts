// What a trace holds: the mails of one campaign, and the requests they bring, each with who really made it.

/** People: their own program, a webmail's proxy that fetches for them, and whoever else was shown the mail. */
export const PEOPLE = ['reader', 'reader_by_proxy', 'forwarded'] as const
/** What loads pictures whether or not anybody looks. */
export const PREFETCHES = ['apple_prefetch', 'gmail_prefetch'] as const
export const MACHINES = ['head_scanner', 'azure_scanner', 'sandbox', 'link_preview', 'browser_prefetch'] as const
export const ACTORS = [...PEOPLE, ...PREFETCHES, ...MACHINES] as const

export type Actor = (typeof ACTORS)[number]

/** Times are in ms since the first mail was sent. */
export interface Request {
  at: number
  by: Actor
  subscriber_id: number
  kind: 'open' | 'click'
  /** Number of the link, from 1; 0 for opens. */
  link: number
  method: 'GET' | 'HEAD'
  headers: Record<string, string>
  cf: { asn: number; country: string; regionCode?: string }
}

export interface Trace {
  /** When the ledger says that each mail was sent. */
  mails: { subscriber_id: number; sent_at: number }[]
  /** In order of time. */
  requests: Request[]
}
