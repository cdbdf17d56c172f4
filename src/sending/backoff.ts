/** Seconds to wait after the 1st, 2nd, ... failed attempt. After the last one the row fails for good. */
const STEPS = [60, 300, 900, 3600, 14_400, 43_200] as const

/** Queues take no longer delay (Cloudflare Queues limit, seconds). */
export const MAX_QUEUE_DELAY = 86_400

/**
 * When a delivery that could not be sent is tried again.
 *
 * @param attempts - attempts so far, at least 1
 * @param hint - the provider's own wish in seconds, if it had one; never shortens the wait
 * @param random - 0 to 1; spreads what failed together by up to a fifth
 * @returns seconds, or null when there were enough attempts
 */
export function backoff(attempts: number, hint: number | undefined, random: number): number | null {
  const step = STEPS[attempts - 1]
  if (step === undefined) return null
  return Math.min(Math.round(Math.max(step, hint ?? 0) * (1 + random / 5)), MAX_QUEUE_DELAY)
}
