// Who a single request comes from, as data: the first rule that holds decides. What many requests show together, and how
// soon after sending they came, is for the flush. Everything a rule reads is kept with the event, so that it can be judged
// again without the address or the user agent it came with.
import { familyOf, type Sort } from './agents.ts'
import type { EventKind } from './event.ts'
import { type Network, networkOf } from './networks.ts'
import type { Verdict } from './verdict.ts'

/** Kept with each event that was judged by them. Raise it with every change of these rules, of agents.ts or of networks.ts. */
export const RULES_VERSION = 1

/** What the rules read of a request or of a kept event. */
export interface Features {
  kind: EventKind
  method: string
  asn: number | null
  /** As `agentOf` named it. */
  agent: string
  /** Whether it said that it was loading in advance. A kept event has that as its reason, `prefetch`: no rule stands before. */
  prefetch: boolean
}

export interface Judgement {
  verdict: Verdict
  reason: string | null
}

interface Known extends Features {
  sort: Sort
  network: Network | null
}

interface Rule extends Judgement {
  reason: string
  holds: (seen: Known) => boolean
}

export const RULES: readonly Rule[] = [
  { reason: 'prefetch', verdict: 'machine', holds: ({ prefetch }) => prefetch },
  { reason: 'head', verdict: 'machine', holds: ({ method }) => method === 'HEAD' },
  { reason: 'gmail_prefetch', verdict: 'machine', holds: ({ sort }) => sort === 'prefetch' },
  { reason: 'scanner_agent', verdict: 'machine', holds: ({ sort }) => sort === 'scanner' },
  { reason: 'preview_agent', verdict: 'machine', holds: ({ sort }) => sort === 'preview' },
  { reason: 'library_agent', verdict: 'machine', holds: ({ sort }) => sort === 'library' },
  { reason: 'headless_agent', verdict: 'machine', holds: ({ sort }) => sort === 'headless' },
  { reason: 'monitor_agent', verdict: 'machine', holds: ({ sort }) => sort === 'monitor' },
  { reason: 'crawler_agent', verdict: 'machine', holds: ({ sort }) => sort === 'crawler' },
  // A webmail fetches a picture when its reader opens the mail. It follows no links.
  { reason: 'mail_proxy', verdict: 'human', holds: ({ sort, kind }) => sort === 'proxy' && kind === 'open' },
  { reason: 'mail_proxy', verdict: 'machine', holds: ({ sort }) => sort === 'proxy' },
  // Apple Mail loads every picture on delivery, through Apple's relay, whether the mail is read or not.
  {
    reason: 'apple_mpp',
    verdict: 'unsure',
    holds: ({ sort, kind, network }) => sort === 'bare' && kind === 'open' && network === 'apple_relay',
  },
  { reason: 'security_network', verdict: 'machine', holds: ({ network }) => network === 'security' },
  { reason: 'data_centre', verdict: 'machine', holds: ({ network }) => network === 'data_centre' },
  // Defender for Office 365 follows links from Azure with ordinary browsers, and far more often than people sit before a
  // desktop that is rented there. A picture may as well have been fetched for a reader of outlook.com.
  {
    reason: 'microsoft_network',
    verdict: 'machine',
    holds: ({ network, kind }) => network === 'microsoft' && kind === 'click',
  },
  { reason: 'microsoft_network', verdict: 'unsure', holds: ({ network }) => network === 'microsoft' },
  // Links are followed by browsers, and every browser says which one it is.
  { reason: 'bare_agent', verdict: 'machine', holds: ({ sort, kind }) => sort === 'bare' && kind === 'click' },
  { reason: 'no_agent', verdict: 'machine', holds: ({ sort, kind }) => sort === 'none' && kind === 'click' },
  { reason: 'hosting_network', verdict: 'unsure', holds: ({ network }) => network === 'exit' },
  // Some mail programs and privacy proxies say nothing of themselves.
  { reason: 'bare_agent', verdict: 'unsure', holds: ({ sort }) => sort === 'bare' },
  { reason: 'no_agent', verdict: 'unsure', holds: ({ sort }) => sort === 'none' },
  { reason: 'unknown_agent', verdict: 'unsure', holds: ({ sort }) => sort === 'unknown' },
  { reason: 'app_agent', verdict: 'unsure', holds: ({ sort, kind }) => sort === 'app' && kind === 'click' },
  { reason: 'outdated_agent', verdict: 'unsure', holds: ({ sort, kind }) => sort === 'outdated' && kind === 'click' },
]

const PERSON: Judgement = { verdict: 'human', reason: null }

/** Judges one visit by itself. An unsubscribe is never held to be a machine's. */
export function judge(features: Features): Judgement {
  if (features.kind === 'unsubscribe') return PERSON
  const seen: Known = { ...features, ...familyOf(features.agent), network: networkOf(features.asn) }
  const rule = RULES.find(({ holds }) => holds(seen))
  return rule ? { verdict: rule.verdict, reason: rule.reason } : PERSON
}
