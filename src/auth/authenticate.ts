import type { MiddlewareHandler } from 'hono'
import { Problem } from '../http/problem.ts'
import type { AppEnv } from '../http/route.ts'
import type { Services } from '../http/services.ts'
import type { Caller } from './caller.ts'
import { hashApiKey } from './key.ts'
import type { Scope } from './scopes.ts'
import { findKey, touchKey } from './store.ts'

/** A revoked key goes on working in other isolates for at most this long, in ms. */
const CACHE_TIME = 10_000
const CACHE_SIZE = 1000

const BOOTSTRAP_PATH = '/api/v1/api-keys'

/** Finds out who calls, for every route under /api/v1. Keys that were good a moment ago are not looked up again. */
export function authenticate(services: Pick<Services, 'db' | 'bootstrap_secret' | 'now'>): MiddlewareHandler<AppEnv> {
  const { db, bootstrap_secret } = services
  const known = new Map<string, { caller: Caller; until: number }>()

  return async (c, next) => {
    const token = /^Bearer +(\S+)$/i.exec(c.req.header('authorization') ?? '')?.[1]
    if (token === undefined) throw unauthenticated('Send Authorization: Bearer <API key>.', '')
    c.set('db', db)

    const hash = await hashApiKey(token)
    if (c.req.method === 'POST' && c.req.path === BOOTSTRAP_PATH && hash === (await hashApiKey(bootstrap_secret))) {
      c.set('caller', { api_key_id: null, scopes: ['admin'] })
      return next()
    }

    const now = services.now().getTime()
    const cached = known.get(hash)
    if (cached && cached.until > now) {
      c.set('caller', cached.caller)
      return next()
    }
    known.delete(hash)
    const key = await findKey(db, hash)
    if (!key) throw unauthenticated('This API key is not known or was revoked.', ', error="invalid_token"')
    const caller: Caller = { api_key_id: key.id, scopes: key.scopes }
    if (known.size >= CACHE_SIZE) known.clear()
    known.set(hash, { caller, until: now + CACHE_TIME })
    if (key.use_is_old) c.executionCtx.waitUntil(touchKey(db, key.id).catch(() => {}))
    c.set('caller', caller)
    return next()
  }
}

/** Lets a call through whose key has the scope; the answer of a refusal names it. */
export function requireScope(scope: Scope): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    if (c.var.caller.scopes.includes(scope)) return next()
    throw new Problem('scope_missing', `This call needs a key with the scope ${scope}.`, {
      headers: { 'www-authenticate': `Bearer realm="${REALM}", error="insufficient_scope", scope="${scope}"` },
    })
  }
}

const REALM = 'email-marketing-kit'

const unauthenticated = (detail: string, error: string) =>
  new Problem('not_authenticated', detail, {
    errors: [{ field: 'Authorization', detail: 'must be Bearer and a valid API key' }],
    headers: { 'www-authenticate': `Bearer realm="${REALM}"${error}` },
  })
