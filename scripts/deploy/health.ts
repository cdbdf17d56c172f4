import { setTimeout as sleep } from 'node:timers/promises'
import type { Addresses } from './configs.ts'

/**
 * Waits until emk-api answers and reaches its database and Redis, and emk-tracking answers where links in mails point.
 * A new domain's certificate takes a minute or two.
 *
 * @throws when `patience_ms` is over, with what the last try met
 */
export async function waitForHealth(
  { public_url, tracking_url }: Addresses,
  fetch_public: typeof fetch,
  patience_ms: number,
): Promise<void> {
  const deadline = Date.now() + patience_ms
  for (let pause_ms = 500; ; pause_ms = Math.min(pause_ms * 2, 5_000)) {
    const fault =
      (await faultAt(`${public_url}/health?deep=1`, fetch_public, apiFault)) ??
      // The picture comes whatever the token, and a token like this one is never recorded.
      (await faultAt(`${tracking_url}/t/o/deployment.gif`, fetch_public, trackingFault))
    if (fault === null) return
    if (Date.now() + pause_ms > deadline) throw new Error(fault)
    await sleep(pause_ms)
  }
}

async function faultAt(
  url: string,
  fetch_public: typeof fetch,
  judge: (response: Response) => Promise<string | null>,
): Promise<string | null> {
  try {
    const fault = await judge(await fetch_public(url, { signal: AbortSignal.timeout(20_000), redirect: 'manual' }))
    return fault === null ? null : `${url}: ${fault}`
  } catch (error) {
    const { cause } = error as { cause?: unknown }
    return `${url}: ${cause instanceof Error ? cause.message : String(error)}`
  }
}

async function apiFault(response: Response): Promise<string | null> {
  if (response.ok) return null
  const body: { database?: string; redis?: string; detail?: string } = await response.json().catch(() => ({}))
  if (body.database === 'unreachable') return 'the database cannot be reached; is DATABASE_URL right?'
  if (body.redis === 'unreachable') return 'Redis cannot be reached; are UPSTASH_REDIS_REST_URL and _TOKEN right?'
  // What else may fail is work left by an earlier deployment, which cron will see to.
  if (body.database === 'ok' && body.redis === 'ok') return null
  return body.detail ?? `HTTP ${response.status}`
}

async function trackingFault(response: Response): Promise<string | null> {
  const type = response.headers.get('Content-Type')
  if (response.ok && type === 'image/gif') return null
  return `emk-tracking does not answer here: HTTP ${response.status}, ${type ?? 'no content type'}`
}
