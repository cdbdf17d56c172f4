import { setTimeout as sleep } from 'node:timers/promises'
import { ImportError } from './columns.ts'

/** Tries of one call before it is given up: about two minutes. */
const TRIES = 8
/** Longest answer time of one call, in ms. */
const TIMEOUT = 60_000

export interface Api {
  get<Body>(path: string): Promise<Body>
  /** @param idempotency_key - makes a repeat after a lost answer the same call */
  post<Body>(path: string, body: unknown, idempotency_key?: string): Promise<Body>
  patch<Body>(path: string, body: unknown): Promise<Body>
}

/** The API refused a call; repeating it would not help. */
export class Refused extends ImportError {
  override name = 'Refused'
  readonly status: number
  readonly code: string
  constructor(status: number, code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

/**
 * Calls under /api/v1 that outlive a network that breaks off, 429 and 5xx: repeated with growing pauses.
 *
 * @param api_url - where emk-api answers
 * @param pause - waits so many ms
 */
export function openApi(
  api_url: string,
  api_key: string,
  pause: (ms: number) => Promise<unknown> = (ms) => sleep(ms),
): Api {
  const base = `${api_url.replace(/\/+$/, '')}/api/v1`

  async function call<Body>(method: string, path: string, body?: unknown, idempotency_key?: string): Promise<Body> {
    let failure = ''
    for (let attempt = 0; attempt < TRIES; attempt++) {
      if (attempt > 0) await pause(Math.min(500 * 2 ** (attempt - 1), 30_000))
      const answer = await fetch(base + path, {
        method,
        headers: {
          authorization: `Bearer ${api_key}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(idempotency_key === undefined ? {} : { 'idempotency-key': idempotency_key }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(TIMEOUT),
      })
        .then(async (response) => ({ response, text: await response.text() }))
        .catch((error: Error) => ({ network: reason(error) }))
      if ('network' in answer) {
        failure = answer.network
        continue
      }
      const { response, text } = answer
      if (response.ok) return JSON.parse(text) as Body
      const problem = problemOf(text)
      failure = `${response.status} ${problem.detail ?? ''}`.trim()
      const passing = response.status === 429 || response.status >= 500 || problem.code === 'idempotency_in_progress'
      if (!passing || problem.code === 'not_configured') {
        throw new Refused(response.status, problem.code ?? '', `the API refused ${method} ${path}: ${failure}`)
      }
      const seconds = Number(response.headers.get('retry-after'))
      if (seconds > 0) await pause(Math.min(seconds, 60) * 1_000)
    }
    throw new ImportError(`${base} does not answer (${failure}); gave up after ${TRIES} tries`)
  }

  return {
    get: (path) => call('GET', path),
    post: (path, body, idempotency_key) => call('POST', path, body, idempotency_key),
    patch: (path, body) => call('PATCH', path, body),
  }
}

const reason = (error: Error) => (error.cause instanceof Error ? error.cause.message : error.message)

function problemOf(text: string): { code?: string; detail?: string } {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}
