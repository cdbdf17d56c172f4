const MINUTE = 60
const HOUR = 3600

/** Seconds from one try to the next; after the tenth, some three days on, a message is given up. */
const DELAYS = [5, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR]

/** A receiver may ask for no more than this, in seconds. */
const LONGEST = 24 * HOUR

/**
 * Seconds until the next try, a fifth more or less so that what failed together does not come back together.
 *
 * @param attempts - tries so far
 * @param random - 0 to 1
 * @param asked - seconds that the receiver asked for (Retry-After), kept when longer
 * @returns null when it is given up
 */
export function nextDelay(attempts: number, random: number, asked = 0): number | null {
  const delay = DELAYS[attempts - 1]
  if (delay === undefined) return null
  return Math.round(Math.max(delay * (0.8 + 0.4 * random), Math.min(asked, LONGEST)))
}
