import type { MiddlewareHandler } from 'hono'
import { Problem } from '../http/problem.ts'
import type { AppEnv } from '../http/route.ts'
import type { Services } from '../http/services.ts'
import type { Caller } from './caller.ts'
import { hashApiKey } from './key.ts'
import { KnownKeys } from './known.ts'
import type { Scope } from './scopes.ts'
import { findKey, touchKey } from './store.ts'

const BOOTSTRAP_PATH = '/api/v1/api-keys'
const REALM = 'email-marketing-kit'

/** Finds out who calls, for every route under /api/v1. */
export function authenticate(services: Pick<Services, 'db' | 'bootstrap_secret' | 'now'>): MiddlewareHandler<AppEnv> {
  const { db, bootstrap_secret } = services
  const known_keys = new KnownKeys()

  return async (c, next) => {
    const token = /^Bearer +(\S+)$/i.exec(c.req.header('authorization') ?? '')?.[1]
    if (token === undefined) throw unauthenticated('Send Authorization: Bearer <API key>.', '')
    const hash = await hashApiKey(token)
    const caller =
      c.req.method === 'POST' && c.req.path === BOOTSTRAP_PATH && hash === (await hashApiKey(bootstrap_secret))
        ? BOOTSTRAP
        : (known_keys.find(hash, services.now().getTime()) ??
          (await lookUp(hash, (use) => c.executionCtx.waitUntil(use))))
    if (!caller) throw unauthenticated('This API key is not known or was revoked.', ', error="invalid_token"')
    c.set('db', db)
    c.set('known_keys', known_keys)
    c.set('caller', caller)
    return next()
  }

  async function lookUp(hash: string, later: (use: Promise<void>) => void): Promise<Caller | undefined> {
    const key = await findKey(db, hash)
    if (!key) return undefined
    const caller: Caller = { api_key_id: key.id, scopes: key.scopes }
    known_keys.remember(hash, caller, services.now().getTime())
    // A use that goes unnoted is no reason to fail anything.
    if (key.use_is_old) later(touchKey(db, key.id).catch(() => {}))
    return caller
  }
}

const BOOTSTRAP: Caller = { api_key_id: null, scopes: ['admin'] }

/** Lets a call through whose key has the scope; the answer of a refusal names it. */
export function requireScope(scope: Scope): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    if (c.var.caller.scopes.includes(scope)) return next()
    throw new Problem('scope_missing', `This call needs a key with the scope ${scope}.`, {
      headers: { 'www-authenticate': `Bearer realm="${REALM}", error="insufficient_scope", scope="${scope}"` },
    })
  }
}

const unauthenticated = (detail: string, error: string) =>
  new Problem('not_authenticated', detail, {
    errors: [{ field: 'Authorization', detail: 'must be Bearer and a valid API key' }],
    headers: { 'www-authenticate': `Bearer realm="${REALM}"${error}` },
  })
