// Every Redis key of the kit. All start with REDIS_PREFIX, so that two installations can share one database.

export interface RedisKeys {
  /** List: tracking events as JSON lines, written before there were shards; it is only drained. */
  events: string
  /** The lists of tracking events as JSON lines, oldest first; `eventShard` says which one takes them now. */
  event_shards: string[]
  /** Set: names of lists that were renamed away from the above and are being written to SQL. */
  drains: string
  /** Prefix of those names; `<name>:done` counts the lines that are in SQL already. */
  drain: string
  /** List: event lines that could not be read, kept for a person to look at. */
  quarantine: string
  /** Number: how many lines ever went there. */
  quarantined: string
  /** Sorted set subscriber id -> ms of the last unsubscribe that SQL may not know yet; see tracking/optouts.ts. */
  optouts: string
  /** Sorted set campaign id -> ms when cron must look at it (0: it is sending). */
  wake: string
  /** String: ms of cron's last full sweep. */
  swept: string
  /** Strings: when cron last ran, and what it found when it last asked Postgres; see cron-note.ts. */
  cron_ran: string
  cron_asked: string
  /** Set: whether there are webhooks, and the minutes in which one is due; see webhooks/wake.ts. */
  webhooks: string
  /** Prefix of strings: HTML of previews, by the token of their address; they expire. */
  preview: string
  /** String that lasts some minutes: a sign-up came in, and cron looks whether it was left lying. */
  signups: string
  /** Prefix of numbers: sign-ups from one network or for one address, by keyed hash; they expire. */
  signup: string
}

/** Upstash refuses to write a key that holds 100 MB, some 250,000 events: shards put that off. */
const EVENT_SHARDS = 8

const MINUTE = 60_000

/** @param prefix - REDIS_PREFIX */
export function redisKeys(prefix: string): RedisKeys {
  return {
    events: `${prefix}events`,
    event_shards: Array.from({ length: EVENT_SHARDS }, (_, shard) => `${prefix}events:${shard}`),
    drains: `${prefix}drains`,
    drain: `${prefix}drain:`,
    quarantine: `${prefix}quarantine`,
    quarantined: `${prefix}quarantined`,
    optouts: `${prefix}optouts`,
    wake: `${prefix}wake`,
    swept: `${prefix}swept`,
    cron_ran: `${prefix}cron:ran`,
    cron_asked: `${prefix}cron:asked`,
    webhooks: `${prefix}webhooks`,
    preview: `${prefix}preview:`,
    signups: `${prefix}signups`,
    signup: `${prefix}signup:`,
  }
}

/**
 * The list that takes the events of a moment. It changes by the minute and not by the event: as long as the buffer is
 * emptied every minute all events lie in one or two lists, so that emptying it takes few commands; while it is not, each
 * minute's go elsewhere.
 */
export function eventShard({ events, event_shards }: RedisKeys, at: Date): string {
  return event_shards[Math.floor(at.getTime() / MINUTE) % event_shards.length] ?? events
}
