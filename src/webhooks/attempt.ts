// One try of one message: a POST that is never redirected, never waits long and never reads much.

import type { Resolver } from '../doctor/resolver.ts'
import { retryAfter } from '../providers/retry_after.ts'
import { BODY_VERSION } from './events.ts'
import { type GuardOptions, refusedByDns, refusedUrl } from './guard.ts'
import { signatureHeaders } from './sign.ts'

/** A message as it is tried, with its endpoint. */
export interface Trial {
  message_id: number
  endpoint_id: number
  type: string
  /** When it happened (ISO 8601). */
  created_at: string
  payload: Record<string, unknown>
  subscriber_id: number | null
  /** Their address now; null once they are deleted. */
  email: string | null
  url: string
  /** The newest first. */
  secrets: string[]
  /** Including this one. */
  attempts: number
}

export interface Outcome {
  result: 'delivered' | 'gone' | 'later'
  /** Null when there was no answer. */
  response_status: number | null
  /** The beginning of the answer, or why there was none. */
  response: string
  duration_ms: number
  /** Seconds that the receiver asked to be left alone for. */
  retry_after?: number | undefined
}

export interface Courier extends GuardOptions {
  fetch: typeof fetch
  resolver: Resolver
  now: () => Date
}

/** For connecting, sending and the answer together, in ms. */
const PATIENCE = 10_000
/** Bytes of an answer that are read. */
const READ = 2048

/** What receivers know a message by, whatever try it is. */
const webhookId = (message_id: number) => `msg_${message_id}`

/** The body of a message, as it is signed. */
export function bodyOf({ type, created_at, payload, subscriber_id, email }: Trial): string {
  const named = subscriber_id !== null && type !== 'subscriber.deleted'
  const data = named ? { subscriber_id, email, ...payload } : payload
  return JSON.stringify({ type, timestamp: created_at, version: BODY_VERSION, data })
}

/** Never throws. */
export async function tryMessage(courier: Courier, trial: Trial, patience = PATIENCE): Promise<Outcome> {
  const begun = courier.now().getTime()
  const ended = (outcome: Omit<Outcome, 'duration_ms'>): Outcome => ({
    ...outcome,
    duration_ms: Math.max(0, courier.now().getTime() - begun),
  })
  const refused =
    refusedUrl(trial.url, courier) ?? (await refusedByDns(trial.url, courier.resolver, courier.development))
  if (refused) return ended({ result: 'later', response_status: null, response: `Not sent: the address ${refused}.` })
  const timeout = AbortSignal.timeout(patience)
  try {
    const body = bodyOf(trial)
    const response = await courier.fetch(trial.url, {
      method: 'POST',
      body,
      headers: {
        'content-type': 'application/json',
        'user-agent': 'Email-Marketing-Kit-Webhooks/1',
        ...(await signatureHeaders(trial.secrets, webhookId(trial.message_id), courier.now(), body)),
      },
      redirect: 'manual',
      signal: timeout,
    })
    const { status, ok } = response
    const result = ok ? 'delivered' : status === 410 ? 'gone' : 'later'
    const asked = status === 429 || status === 503
    return ended({
      result,
      response_status: status,
      // An answer is given with its head: one that then stays silent, or never ends, has been given all the same.
      response: await beginning(response),
      retry_after: asked ? retryAfter((name) => response.headers.get(name), courier.now().getTime()) : undefined,
    })
  } catch {
    // The engine's words differ and may name what is inside; which of the two it was is all that helps.
    const why = timeout.aborted ? `No answer within ${patience / 1000} seconds.` : 'The connection failed.'
    return ended({ result: 'later', response_status: null, response: why })
  }
}

/** The first of an answer as text that Postgres can keep; the rest is not read. */
async function beginning({ body }: Response): Promise<string> {
  if (!body) return ''
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let text = ''
  let size = 0
  try {
    while (size < READ) {
      const { done, value } = await reader.read()
      if (done || !value) break
      text += decoder.decode(value.subarray(0, READ - size), { stream: true })
      size += value.length
    }
  } catch {
    // Cut off, or time is up: what came is kept.
  }
  await reader.cancel().catch(() => {})
  return text.replaceAll('\0', '\uFFFD').toWellFormed()
}
