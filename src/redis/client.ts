import { Redis } from '@upstash/redis/cloudflare'

/** No command waits longer than this, in ms: whoever calls has a fallback or tries again later. */
const COMMAND_TIMEOUT = 2000

/**
 * Connects to Upstash Redis over REST. Values stay strings, every call is one request (no hidden pipelining), a lost
 * answer is retried once: all writes here are safe to repeat.
 */
export function connectRedis(url: string, token: string): Redis {
  return new Redis({
    url,
    token,
    automaticDeserialization: false,
    enableAutoPipelining: false,
    enableTelemetry: false,
    retry: { retries: 1, backoff: () => 50 },
    // A function, so that a timeout throws; a plain signal would make the client answer "Aborted" as if it were data.
    signal: () => AbortSignal.timeout(COMMAND_TIMEOUT),
  })
}

export type { Redis }
