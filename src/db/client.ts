// The one door to Postgres: Neon over HTTP, one statement or one non-interactive transaction a request.
import { neon, neonConfig } from '@neondatabase/serverless'
import { drizzle } from 'drizzle-orm/neon-http'

/** A statement that takes longer than this is given up by the caller (Postgres may still finish it). In ms. */
const STATEMENT_TIMEOUT = 25_000

/**
 * Connects to Postgres. Nothing is opened yet: each statement is a request of its own, so the result may live as long
 * as the isolate.
 *
 * @param url - the pooled connection string (`-pooler` host at Neon)
 * @param proxy - `host:port` of another endpoint that speaks Neon's HTTP protocol; empty for Neon itself
 * @param timeout - of one statement, in ms
 */
export function connectDatabase(url: string, proxy: string, timeout = STATEMENT_TIMEOUT) {
  if (proxy) neonConfig.fetchEndpoint = `http://${proxy}/sql`
  neonConfig.fetchFunction = (input: string, init: RequestInit) =>
    fetch(input, { ...init, signal: AbortSignal.timeout(timeout) })
  return drizzle(neon(url))
}

export type Database = ReturnType<typeof connectDatabase>
