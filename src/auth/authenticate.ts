import type { MiddlewareHandler } from 'hono'
import type { AppEnv } from '../http/context.ts'
import { Problem } from '../http/problem.ts'
import type { Services } from '../http/services.ts'
import type { Caller } from './caller.ts'
import { hashApiKey, looksLikeApiKey } from './key.ts'
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
    const may_bootstrap = c.req.method === 'POST' && c.req.path === BOOTSTRAP_PATH
    const caller = looksLikeApiKey(token)
      ? await findCaller(await hashApiKey(token), (use) => c.executionCtx.waitUntil(use))
      : may_bootstrap && (await isBootstrapSecret(token)) && BOOTSTRAP
    if (!caller) throw unauthenticated('This API key is not known or was revoked.', ', error="invalid_token"')
    c.set('db', db)
    c.set('known_keys', known_keys)
    c.set('caller', caller)
    return next()
  }

  async function findCaller(hash: string, later: (use: Promise<void>) => void): Promise<Caller | undefined> {
    const now = services.now().getTime()
    const known = known_keys.find(hash, now)
    if (known) return known
    const key = await findKey(db, hash)
    if (!key) return undefined
    const caller: Caller = { api_key_id: key.id, scopes: key.scopes }
    known_keys.remember(hash, caller, now)
    // A use that goes unnoted is no reason to fail anything.
    if (key.use_is_old) later(touchKey(db, key.id).catch(() => {}))
    return caller
  }

  /** Compared by hash, which takes the same time whatever the two have in common. */
  async function isBootstrapSecret(token: string): Promise<boolean> {
    return (await hashApiKey(token)) === (await hashApiKey(bootstrap_secret))
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
