// What a machine looks like in the events of a campaign, as data. What one request shows is judged at the edge; these
// rules see when the mail was sent and what else happened around it. They only ever call something a machine's: whatever
// comes later adds evidence and takes none away, so the order in which events arrive does not matter.
import type { EventKind } from '../tracking/event.ts'
import type { Verdict } from '../tracking/verdict.ts'

/**
 * Kept with each event that these rules judged; over 100, so that it is no version of the edge's rules. Raise it with every
 * change here, and recount with `--rejudge`.
 */
export const RULES_VERSION = 102

/**
 * Faster than a person: a mail must arrive, be noticed, opened and read before a link is followed. The mail is known as
 * sent when its group is recorded, so these seconds are rather more than they seem.
 */
export const TOO_FAST: readonly SpeedRule[] = [
  { kind: 'click', seconds: 5 },
  { kind: 'open', seconds: 2, verdict: 'human' },
  { kind: 'open', seconds: 10, agent: 'unknown' },
]

export interface SpeedRule {
  kind: EventKind
  /** Seconds since the mail was sent, below which the rule holds. */
  seconds: number
  /** Only what the edge judged so: pictures that Apple loads at once stay `unsure`. */
  verdict?: Verdict
  /** Only programs of this family. */
  agent?: string
}

/**
 * Different links of one mail by one recipient: a scanner follows them all. People open some in tabs, one a second or so;
 * whoever does that hours later is more likely one of them than whoever does it as the mail arrives.
 */
export const LINK_BURST: readonly { links: number; seconds: number; since_sent?: number }[] = [
  { links: 2, seconds: 0.4 },
  { links: 3, seconds: 1.2 },
  { links: 4, seconds: 2.4 },
  { links: 6, seconds: 5 },
  { links: 2, seconds: 1, since_sent: 30 },
  { links: 3, seconds: 4, since_sent: 120 },
  { links: 4, seconds: 10, since_sent: 120 },
  { links: 6, seconds: 30, since_sent: 300 },
]

/** In seconds: what the program of a burst did this long before and after it, from the same network, is its work too. */
export const BURST_COMPANY = 60

/** In seconds: who asks for a link's head and gets it this close by, from the same network, is one and the same program. */
export const HEAD_BESIDE = 10

/**
 * Clicks by different recipients of a campaign from one network by one family of program, all of them soon after their
 * own mail was sent: a gateway that scans. A carrier or an office has many readers behind one number too, but they do not
 * all read at once: it is the speed that tells.
 */
export const NETWORK_SWEEP: readonly { since_sent: number; recipients: number; seconds: number }[] = [
  { since_sent: 15, recipients: 3, seconds: 60 },
  { since_sent: 45, recipients: 8, seconds: 60 },
]

/**
 * A sandbox goes through one mail after another, slowly: at least so many different links within `seconds`, no later than
 * `since_sent` after their mail was sent, for each of at least so many recipients within the span of `within` seconds, from
 * one network by one family of program. Hardly any person follows so many links so soon, and those few sit in many places.
 */
export const NETWORK_CRAWL = { links: 5, seconds: 180, since_sent: 3600, recipients: 3, within: 900 } as const

/** In seconds: how far apart two events may be, at most, for one to matter to the other's verdict; with room to spare. */
export const REACH = 180

/** In seconds since sending: clicks later than this are in no sweep. An index of campaign_events ends at 60. */
export const SWEEP_SPEED = Math.max(...NETWORK_SWEEP.map(({ since_sent }) => since_sent))

/** Reasons given here and not at the edge. */
export const REASONS = ['too_fast', 'link_burst', 'head_beside', 'network_sweep', 'network_crawl'] as const
export type Reason = (typeof REASONS)[number]
