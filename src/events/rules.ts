// What a machine looks like in the events of a campaign, as data. What one request shows is judged at the edge; these
// rules see when the mail was sent and what else happened around it. They only ever call something a machine's: whatever
// comes later adds evidence and takes none away, so the order in which events arrive does not matter.
import type { EventKind } from '../tracking/event.ts'
import type { Verdict } from '../tracking/verdict.ts'

/** Kept with each event that these rules judged. Raise it with every change here, and recount with `--rejudge`. */
export const RULES_VERSION = 1

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
 * Different links of one mail by one recipient: a scanner follows them all. People open two or three in tabs, but not
 * within a second.
 */
export const LINK_BURST: readonly { links: number; seconds: number }[] = [
  { links: 2, seconds: 1 },
  { links: 3, seconds: 4 },
  { links: 4, seconds: 10 },
  { links: 6, seconds: 30 },
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

/** In seconds: how far apart two events may be, at most, for one to matter to the other's verdict; with room to spare. */
export const REACH = 180

/** In seconds since sending: clicks later than this are in no sweep. An index of campaign_events ends at 60. */
export const SWEEP_SPEED = Math.max(...NETWORK_SWEEP.map(({ since_sent }) => since_sent))

/** Reasons given here and not at the edge. */
export const REASONS = ['too_fast', 'link_burst', 'head_beside', 'network_sweep'] as const
export type Reason = (typeof REASONS)[number]
