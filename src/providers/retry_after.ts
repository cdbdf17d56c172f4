/** A week: past it a server's hint is nonsense. */
const LIMIT = 604_800

/**
 * Seconds to wait, from the headers of a 429 or 503: `retry-after` (seconds or an HTTP date, RFC 9110 10.2.3) or
 * SendGrid's `x-ratelimit-reset` (seconds since 1970).
 * @param now ms since 1970
 */
export function retryAfter(header: (name: string) => string | null, now: number): number | undefined {
  const after = header('retry-after')
  const reset = header('x-ratelimit-reset')
  let seconds = Number.NaN
  if (after !== null && after !== '') seconds = Number(after)
  if (Number.isNaN(seconds) && after) seconds = (Date.parse(after) - now) / 1000
  if (Number.isNaN(seconds) && reset) seconds = Number(reset) - now / 1000
  if (Number.isNaN(seconds)) return undefined
  return Math.min(LIMIT, Math.max(1, Math.ceil(seconds)))
}
