// Idempotency-Key on unsafe calls: the first call runs, its repeats get the same answer.
//
// Only successful answers are kept. A refused or failed call changed nothing, so the same key may try again. If the
// Worker dies between the change and the keeping of its answer, a repeat waits for RUNNING_LIMIT and then runs anew.
import { sql } from 'drizzle-orm'
import type { Context, MiddlewareHandler } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { Database } from '../db/client.ts'
import { log } from '../log.ts'
import type { AppEnv } from './context.ts'
import { Problem } from './problem.ts'

/** How long an answer is kept, in hours. */
const KEPT_HOURS = 24
/** After this many seconds without an answer the first call is taken to be dead. */
const RUNNING_LIMIT = 120

const KEY = /^[\x21-\x7e]{1,255}$/

export const idempotent: MiddlewareHandler<AppEnv> = async (c, next) => {
  const key = c.req.header('idempotency-key')
  const { api_key_id } = c.var.caller
  if (key === undefined || api_key_id === null) return next()
  if (!KEY.test(key)) throw badKey('must be 1 to 255 visible ASCII characters')

  const { db } = c.var
  const request_hash = await hashRequest(c)
  const claim = await claimKey(db, api_key_id, key, request_hash)
  if (!claim.claimed) return replay(claim, request_hash)

  const run = async () => {
    await next()
    // Hono has turned whatever the handler threw into a response by now.
    const { ok, status } = c.res
    const end = ok ? keepAnswer(db, api_key_id, key, status, await bodyOf(c.res)) : releaseKey(db, api_key_id, key)
    // The call itself is over: its answer goes out whatever becomes of this.
    await end.catch(() => log('idempotency_answer_lost', { request_id: c.var.request_id, status }))
  }
  const running = run()
  // A caller who gives up waiting is the very one who will ask again: the call runs to its end without them.
  c.executionCtx.waitUntil(running)
  return running
}

/** For routes whose answer must not be stored: says so instead of leaving the caller in a false belief. */
export const refuseIdempotencyKey =
  (streamed: boolean): MiddlewareHandler<AppEnv> =>
  async (c, next) => {
    const why = streamed
      ? 'a file is not held, so no repeat of it is recognised'
      : 'the answer holds a secret and is not kept'
    if (c.req.header('idempotency-key') !== undefined) throw badKey(`is not supported here: ${why}`)
    return next()
  }

const badKey = (detail: string) =>
  new Problem('bad_idempotency_key', `Idempotency-Key ${detail}.`, { errors: [{ field: 'Idempotency-Key', detail }] })

interface Claim {
  claimed: boolean
  request_hash: string | null
  status: number | null
  body: unknown
}

/** Takes the key for this call, or tells what is known of the call that has it (nulls: it began this very moment). */
async function claimKey(db: Database, api_key_id: number, key: string, request_hash: string): Promise<Claim> {
  const { rows } = await db.execute<{
    claimed: boolean
    request_hash: string | null
    status: number | null
    body: unknown
  }>(sql`
    with claim as (
      insert into idempotency_keys as k (api_key_id, key, request_hash) values (${api_key_id}, ${key}, ${request_hash})
      on conflict (api_key_id, key) do update
        set request_hash = excluded.request_hash, status = null, body = null, created_at = now()
        where k.created_at < now() - make_interval(hours => ${KEPT_HOURS})
          or (k.status is null and k.created_at < now() - make_interval(secs => ${RUNNING_LIMIT}))
      returning 1
    )
    select exists (select from claim) as claimed, k.request_hash, k.status::int as status, k.body
    from (values (1)) one left join idempotency_keys k on k.api_key_id = ${api_key_id} and k.key = ${key}`)
  return rows[0] ?? { claimed: false, request_hash: null, status: null, body: null }
}

function replay({ request_hash, status, body }: Claim, given_hash: string): Response {
  if (request_hash !== null && request_hash !== given_hash) {
    throw new Problem(
      'idempotency_key_reused',
      'This Idempotency-Key came with another request before. Use a new key for a new request.',
      { errors: [{ field: 'Idempotency-Key', detail: 'belongs to another method, address or body' }] },
    )
  }
  if (status === null) {
    throw new Problem(
      'idempotency_in_progress',
      'The first request with this key has no answer yet. Try again shortly.',
      {
        headers: { 'retry-after': '1' },
      },
    )
  }
  const headers = { 'idempotency-replayed': 'true' }
  if (body === null) return new Response(null, { status, headers })
  return Response.json(body, { status: status as ContentfulStatusCode, headers })
}

/** @param body - JSON text, or null */
async function keepAnswer(db: Database, api_key_id: number, key: string, status: number, body: string | null) {
  await db.execute(sql`
    update idempotency_keys set status = ${status}, body = ${body}::jsonb
    where api_key_id = ${api_key_id} and key = ${key}`)
}

async function releaseKey(db: Database, api_key_id: number, key: string) {
  await db.execute(sql`
    delete from idempotency_keys where api_key_id = ${api_key_id} and key = ${key} and status is null`)
}

/** Removes kept answers that are past their time, at most `limit` at once. For cron. @returns how many */
export async function forgetIdempotencyKeys(db: Database, limit = 10_000): Promise<number> {
  const { rowCount } = await db.execute(sql`
    delete from idempotency_keys where ctid in (
      select ctid from idempotency_keys where created_at < now() - make_interval(hours => ${KEPT_HOURS}) limit ${limit})`)
  return rowCount
}

const bodyOf = async (response: Response) => (await response.clone().text()) || null

async function hashRequest(c: Context<AppEnv>): Promise<string> {
  const { pathname, search } = new URL(c.req.url)
  const text = JSON.stringify([c.req.method, pathname, search, c.var.body ?? ''])
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
