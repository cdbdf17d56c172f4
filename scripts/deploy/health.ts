import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Waits until emk-api answers and reaches its database and Redis. A new domain's certificate takes a minute or two.
 *
 * @throws when `patience_ms` is over, with what the last try met
 */
export async function waitForHealth(
  public_url: string,
  fetch_public: typeof fetch,
  patience_ms: number,
): Promise<void> {
  const deadline = Date.now() + patience_ms
  for (let pause_ms = 500; ; pause_ms = Math.min(pause_ms * 2, 5_000)) {
    const fault = await healthFault(public_url, fetch_public)
    if (fault === null) return
    if (Date.now() + pause_ms > deadline) throw new Error(`${public_url}/health: ${fault}`)
    await sleep(pause_ms)
  }
}

async function healthFault(public_url: string, fetch_public: typeof fetch): Promise<string | null> {
  try {
    const response = await fetch_public(`${public_url}/health`, {
      signal: AbortSignal.timeout(20_000),
      redirect: 'manual',
    })
    if (response.ok) return null
    const body: { database?: string; redis?: string; detail?: string } = await response.json().catch(() => ({}))
    if (body.database === 'unreachable') return 'the database cannot be reached; is DATABASE_URL right?'
    if (body.redis === 'unreachable') return 'Redis cannot be reached; are UPSTASH_REDIS_REST_URL and _TOKEN right?'
    return body.detail ?? `HTTP ${response.status}`
  } catch (error) {
    const { cause } = error as { cause?: unknown }
    return cause instanceof Error ? cause.message : String(error)
  }
}
