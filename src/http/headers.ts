import type { MiddlewareHandler } from 'hono'
import type { AppEnv } from './context.ts'

/** Gives each request an id of its own, which every answer carries and the log names. */
export const identify: MiddlewareHandler<AppEnv> = async (c, next) => {
  c.set('request_id', crypto.randomUUID())
  await next()
}

const DEFAULTS: Record<string, string> = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000',
  'x-content-type-options': 'nosniff',
}

/** Headers of every answer that says nothing else. No cookies are set, no other origin is let in (no CORS). */
export const secure: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next()
  c.header('x-request-id', c.var.request_id)
  for (const [name, value] of Object.entries(DEFAULTS)) {
    if (!c.res.headers.has(name)) c.header(name, value)
  }
}
