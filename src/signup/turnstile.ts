import { log } from '../log.ts'

/** Cloudflare's check that a person fills in the form (TURNSTILE_SITE_KEY, TURNSTILE_SECRET). */
export interface Turnstile {
  site_key: string
  secret: string
  verify_url: string
}

export const TURNSTILE_VERIFY_URL = 'https://challenges.cloudflare.com/turnstile/v0/siteverify'

/** In ms. */
const TIMEOUT = 5_000
/** Characters; Cloudflare documents this as the longest answer. */
const LONGEST = 2_048

/**
 * Asks whether a challenge was solved. Each answer holds once, for five minutes.
 *
 * @param client - the network address of who solved it, where it is known
 * @returns `unknown` when the check cannot be reached
 */
export async function askTurnstile(
  { secret, verify_url }: Turnstile,
  answer: string,
  client: string | null,
): Promise<'solved' | 'refused' | 'unknown'> {
  if (answer === '' || answer.length > LONGEST) return 'refused'
  const body = new URLSearchParams({ secret, response: answer, ...(client === null ? {} : { remoteip: client }) })
  try {
    const response = await fetch(verify_url, { method: 'POST', body, signal: AbortSignal.timeout(TIMEOUT) })
    const result = (await response.json()) as { success?: unknown; 'error-codes'?: unknown }
    if (result.success === true) return 'solved'
    const codes = Array.isArray(result['error-codes']) ? result['error-codes'].map(String) : []
    // Ours to mend, or Cloudflare's: not what the person did.
    const ours = codes.find((code) => /secret|internal-error|bad-request/.test(code))
    if (ours === undefined && response.ok) return 'refused'
    log('turnstile_failed', { status: response.status, code: ours ?? null })
    return 'unknown'
  } catch (error) {
    log('turnstile_failed', { error: error instanceof Error ? error.name : 'unknown' })
    return 'unknown'
  }
}
