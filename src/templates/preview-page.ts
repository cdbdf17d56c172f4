import { Hono } from 'hono'
import type { AppEnv } from '../http/context.ts'
import type { Services } from '../http/services.ts'
import { page } from '../pages/answer.ts'
import { missingPage } from '../pages/missing.ts'
import type { Redis } from '../redis/client.ts'
import type { RedisKeys } from '../redis/keys.ts'
import { encodeBase64url } from '../tokens/base64url.ts'

/** Seconds that a page can be looked at. */
const KEPT = 600
/** Bytes: Upstash takes requests of up to 1 MB on its smallest plan. */
const MOST = 900_000
/**
 * The mail is an author's HTML with subscribers' data in it: no script, no form, nothing of this origin (`sandbox` without
 * allow-same-origin). Links open in a window of their own; a dashboard of the same host may frame it.
 */
const POLICY = [
  'sandbox allow-popups allow-popups-to-escape-sandbox',
  "default-src 'none'",
  'img-src https: data:',
  "style-src 'unsafe-inline'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'self'",
].join('; ')

/**
 * Keeps a preview for a while, for whoever has its address: a frame cannot send an API key.
 *
 * @returns its path; null when it is too large, or Redis cannot be reached
 */
export async function keepPreview(redis: Redis, keys: RedisKeys, html: string): Promise<string | null> {
  if (new TextEncoder().encode(JSON.stringify(html)).length > MOST) return null
  const token = encodeBase64url(crypto.getRandomValues(new Uint8Array(24)))
  try {
    await redis.set(keys.preview + token, html, { ex: KEPT })
    return `/preview/${token}`
  } catch {
    return null
  }
}

export function previewPage({ redis, redis_keys }: Services) {
  const router = new Hono<AppEnv>()
  router.get('/preview/:token{[A-Za-z0-9_-]{32}}', async (c) => {
    const html = await redis.get<string>(redis_keys.preview + c.req.param('token'))
    if (html === null) return page(404, missingPage())
    return page(200, html, { 'Content-Security-Policy': POLICY })
  })
  return router
}
