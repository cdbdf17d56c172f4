// The rules applied. Pure: what is judged is given, and nothing is remembered.
import type { EventKind } from '../tracking/event.ts'
import type { Verdict } from '../tracking/verdict.ts'
import { BURST_COMPANY, HEAD_BESIDE, LINK_BURST, NETWORK_CRAWL, NETWORK_SWEEP, type Reason, TOO_FAST } from './rules.ts'

/** What the rules read of an event. */
export interface Seen {
  event_id: string
  /** ISO 8601, as it is in SQL. */
  occurred_at: string
  /** The same, in ms since 1970. */
  at: number
  kind: EventKind
  subscriber_id: number | null
  link: number
  method: string | null
  asn: number | null
  agent: string | null
  since_sent: number | null
  verdict: Verdict
}

/** One event by itself; `verdict` is the edge's. The flush statement holds the same, made of the same data. */
export function isTooFast({
  kind,
  since_sent,
  verdict,
  agent,
}: Omit<Seen, 'event_id' | 'occurred_at' | 'at'>): boolean {
  return TOO_FAST.some(
    (rule) =>
      rule.kind === kind &&
      since_sent !== null &&
      since_sent < rule.seconds &&
      (rule.verdict === undefined || rule.verdict === verdict) &&
      (rule.agent === undefined || rule.agent === agent),
  )
}

/**
 * What one recipient did with one campaign.
 *
 * @param events - opens and clicks, oldest first
 * @returns the machine's among them, also those that were known as such
 */
export function judgeRecipient<Event extends Seen>(events: readonly Event[]): Map<Event, Reason> {
  const judged = new Map<Event, Reason>()
  const clicks = events.filter(({ kind }) => kind === 'click')
  for (const { links, seconds, since_sent = Number.POSITIVE_INFINITY } of LINK_BURST) {
    const soon = clicks.filter((click) => (click.since_sent ?? Number.POSITIVE_INFINITY) <= since_sent)
    for (const click of crowded(soon, seconds, links, ({ link }) => link)) judged.set(click, 'link_burst')
  }
  const bursts = [...judged.keys()]
  for (const event of besides(events, bursts, BURST_COMPANY, programOf)) {
    if (!judged.has(event)) judged.set(event, 'link_burst')
  }
  const heads = clicks.filter(({ method }) => method === 'HEAD')
  for (const click of besides(clicks, heads, HEAD_BESIDE, (event) => `${event.link}:${programOf(event)}`)) {
    if (!judged.has(click)) judged.set(click, 'head_beside')
  }
  return judged
}

/**
 * What came to one campaign from one network by one family of program, soon after sending.
 *
 * @param clicks - oldest first
 */
export function judgeNetwork<Event extends Seen>(clicks: readonly Event[]): Map<Event, Reason> {
  const judged = new Map<Event, Reason>()
  for (const { since_sent, recipients, seconds } of NETWORK_SWEEP) {
    const fast = clicks.filter((click) => click.since_sent !== null && click.since_sent <= since_sent)
    for (const click of crowded(fast, seconds, recipients, ({ subscriber_id }) => subscriber_id)) {
      judged.set(click, 'network_sweep')
    }
  }
  return judged
}

/**
 * The same, until an hour after sending, with opens.
 *
 * @param events - oldest first
 */
export function judgeCrawl<Event extends Seen>(events: readonly Event[]): Map<Event, Reason> {
  const { links, seconds, recipients, within } = NETWORK_CRAWL
  const clicks = events.filter(({ kind }) => kind === 'click')
  const thorough = [...Map.groupBy(clicks, ({ subscriber_id }) => subscriber_id).values()]
    .flatMap((own) => crowded(own, seconds, links, ({ link }) => link))
    .sort((a, b) => a.at - b.at)
  const crawled = crowded(thorough, within, recipients, ({ subscriber_id }) => subscriber_id)
  const company = besides(events, crawled, BURST_COMPANY, ({ subscriber_id }) => String(subscriber_id))
  return new Map([...crawled, ...company].map((event) => [event, 'network_crawl']))
}

export const distinctLinks = (clicks: readonly Seen[]) => new Set(clicks.map(({ link }) => link)).size

/** The network's number and the program's family: by which the doings of one machine are told from another's. */
export const programOf = ({ asn, agent }: Pick<Seen, 'asn' | 'agent'>) => `${asn}:${agent}`

/** Every event that lies in some span of that many seconds with at least so many different values; each step once. */
function crowded<Event extends Seen>(
  events: readonly Event[],
  seconds: number,
  least: number,
  different: (event: Event) => number | null,
): Event[] {
  const found: Event[] = []
  const inside = new Map<number | null, number>()
  let first = 0
  let taken = 0
  for (const [last, event] of events.entries()) {
    inside.set(different(event), (inside.get(different(event)) ?? 0) + 1)
    for (let oldest = events[first]; oldest && event.at - oldest.at > seconds * 1000; oldest = events[++first]) {
      const left = (inside.get(different(oldest)) ?? 0) - 1
      if (left > 0) inside.set(different(oldest), left)
      else inside.delete(different(oldest))
    }
    if (inside.size < least) continue
    for (taken = Math.max(taken, first); taken <= last; taken++) found.push(events[taken] as Event)
  }
  return found
}

/** The events that are at most so many seconds from one of the others that is alike. Both oldest first. */
function besides<Event extends Seen>(
  events: readonly Event[],
  others: readonly Event[],
  seconds: number,
  likeness: (event: Event) => string,
): Event[] {
  const times = new Map<string, number[]>()
  for (const other of others) {
    const known = times.get(likeness(other))
    if (known) known.push(other.at)
    else times.set(likeness(other), [other.at])
  }
  return events.filter((event) => {
    const near = times.get(likeness(event))?.some((at) => Math.abs(at - event.at) <= seconds * 1000)
    return near ?? false
  })
}
