// Every Redis key of the kit. All start with REDIS_PREFIX, so that two installations can share one database.

export interface RedisKeys {
  /** List: tracking events as JSON lines, oldest first. */
  events: string
  /** Set: names of lists that were renamed away from `events` and are being written to SQL. */
  drains: string
  /** Prefix of those names; `<name>:done` counts the lines that are in SQL already. */
  drain: string
  /** List: event lines that could not be read, kept for a person to look at. */
  quarantine: string
  /** Sorted set subscriber id -> ms of the last unsubscribe that SQL may not know yet; see tracking/optouts.ts. */
  optouts: string
  /** Sorted set campaign id -> ms when cron must look at it (0: it is sending). */
  wake: string
  /** String: ms of cron's last full sweep. */
  swept: string
  /** Prefix of strings: HTML of previews, by the token of their address; they expire. */
  preview: string
}

/** @param prefix - REDIS_PREFIX */
export function redisKeys(prefix: string): RedisKeys {
  return {
    events: `${prefix}events`,
    drains: `${prefix}drains`,
    drain: `${prefix}drain:`,
    quarantine: `${prefix}quarantine`,
    optouts: `${prefix}optouts`,
    wake: `${prefix}wake`,
    swept: `${prefix}swept`,
    preview: `${prefix}preview:`,
  }
}
