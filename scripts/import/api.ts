import { setTimeout as sleep } from 'node:timers/promises'
import { ImportError } from './error.ts'

/** Tries of one call before it is given up: about two minutes. */
const TRIES = 8
/** Longest answer time of one call, in ms. */
const TIMEOUT = 60_000
/** Longest time in which a part of a file is taken, in ms: its rows are written before it is answered. */
const PART_TIMEOUT = 600_000

export interface Api {
  get<Body>(path: string): Promise<Body>
  /** @param idempotency_key - makes a repeat after a lost answer the same call */
  post<Body>(path: string, body: unknown, idempotency_key?: string): Promise<Body>
  patch<Body>(path: string, body: unknown): Promise<Body>
  /** Sends bytes once: whether to send them again is the caller's to find out. */
  send(method: 'POST' | 'PATCH', path: string, bytes: Sendable): Promise<Sent>
  /** A file that the API answers with, as it comes. */
  download(path: string): Promise<AsyncIterable<Uint8Array>>
}

export interface Sendable {
  body: Uint8Array<ArrayBuffer>
  type: string
  headers?: Record<string, string>
}

/** What became of bytes: an answer, a refusal that has its problem, or `again` when the same may work later. */
export type Sent = { body: unknown } | { refused: Refused } | Again
interface Again {
  again: string
  /** What the API asked to wait, in ms. */
  wait: number
}

/** The API refused a call; repeating it would not help. */
export class Refused extends ImportError {
  override name = 'Refused'
  readonly status: number
  readonly code: string
  /** The API's own words. */
  readonly detail: string
  constructor(status: number, code: string, detail: string, what: string) {
    super(`the API refused ${what}: ${status} ${detail}`.trim())
    this.status = status
    this.code = code
    this.detail = detail
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
  const authorization = `Bearer ${api_key}`

  async function repeat<Result>(attempt: () => Promise<Result>): Promise<Exclude<Result, Again>> {
    let failure = ''
    for (let tries = 0; tries < TRIES; tries++) {
      if (tries > 0) await pause(backoff(tries))
      const result = await attempt()
      if (!isAgain(result)) return result as Exclude<Result, Again>
      failure = result.again
      if (result.wait > 0) await pause(result.wait)
    }
    throw new ImportError(`${base} does not answer (${failure}); gave up after ${TRIES} tries`)
  }

  async function call<Body>(method: string, path: string, body?: unknown, idempotency_key?: string): Promise<Body> {
    const init = {
      method,
      headers: {
        authorization,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(idempotency_key === undefined ? {} : { 'idempotency-key': idempotency_key }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }
    const sent = await repeat(() => attempt(path, init, TIMEOUT))
    if ('refused' in sent) throw sent.refused
    return sent.body as Body
  }

  async function attempt(path: string, init: RequestInit & { method: string }, timeout: number): Promise<Sent> {
    const answer = await fetch(base + path, { ...init, signal: AbortSignal.timeout(timeout) })
      .then(async (response) => ({ response, text: await response.text() }))
      .catch((error: Error) => ({ network: reason(error) }))
    if ('network' in answer) return { again: answer.network, wait: 0 }
    if (answer.response.ok) return { body: JSON.parse(answer.text) }
    return failed(answer.response, answer.text, `${init.method} ${path}`)
  }

  return {
    get: (path) => call('GET', path),
    post: (path, body, idempotency_key) => call('POST', path, body, idempotency_key),
    patch: (path, body) => call('PATCH', path, body),
    send: (method, path, { body, type, headers }) =>
      attempt(path, { method, headers: { authorization, 'content-type': type, ...headers }, body }, PART_TIMEOUT),
    async download(path) {
      const answer = await repeat(async () => {
        const response = await fetch(base + path, { headers: { authorization } }).catch((error: Error) => error)
        if (response instanceof Error) return { again: reason(response), wait: 0 }
        return response.ok ? { response } : failed(response, await response.text(), `GET ${path}`)
      })
      if ('refused' in answer) throw answer.refused
      if (!answer.response.body) throw new ImportError(`GET ${path} was answered without a body`)
      return answer.response.body
    },
  }
}

/** Time in ms before a try, the first repeat being 1. */
export const backoff = (tries: number) => Math.min(500 * 2 ** (tries - 1), 30_000)

const isAgain = (result: unknown): result is Again => typeof result === 'object' && result !== null && 'again' in result

/** Whether it is worth trying again, and when. */
function failed(response: Response, text: string, what: string): { refused: Refused } | Again {
  const problem = problemOf(text)
  const detail = problem.detail ?? ''
  const passing = response.status === 429 || response.status >= 500 || problem.code === 'idempotency_in_progress'
  if (!passing || problem.code === 'not_configured') {
    return { refused: new Refused(response.status, problem.code ?? '', detail, what) }
  }
  const seconds = Number(response.headers.get('retry-after'))
  return { again: `${response.status} ${detail}`.trim(), wait: seconds > 0 ? Math.min(seconds, 60) * 1_000 : 0 }
}

const reason = (error: Error) => (error.cause instanceof Error ? error.cause.message : error.message)

function problemOf(text: string): { code?: string; detail?: string } {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}
