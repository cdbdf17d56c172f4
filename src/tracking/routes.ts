import { page } from '../pages/answer.ts'
import { missingPage } from '../pages/missing.ts'
import { click } from './click.ts'
import { open } from './open.ts'
import type { Deferral, TrackingServices } from './services.ts'
import { unsubscribe } from './unsubscribe.ts'

/** Crawlers have nothing to look for here. */
const ROBOTS = 'User-agent: *\nDisallow: /\n'

/**
 * Everything emk-tracking answers.
 *
 * @param services - made when a route needs it: robots.txt and unknown paths are answered without keys
 */
export async function route(
  request: Request,
  services: () => Promise<TrackingServices>,
  ctx: Deferral,
): Promise<Response> {
  const { pathname } = new URL(request.url)
  const [, first, second = '', third = '', ...rest] = pathname.split('/', 6)
  const { method } = request
  const reads = method === 'GET' || method === 'HEAD'

  if (first === 't' && second === 'o' && third) {
    return reads ? open(request, third, await services(), ctx) : otherwise(method, 'GET, HEAD')
  }
  if (first === 't' && second === 'c' && third && rest.length === 1) {
    return reads ? click(request, third, rest[0] ?? '', await services(), ctx) : otherwise(method, 'GET, HEAD')
  }
  if (first === 'u' && second && !third && rest.length === 0) {
    return reads || method === 'POST'
      ? unsubscribe(request, second, await services())
      : otherwise(method, 'GET, HEAD, POST')
  }
  if (pathname === '/robots.txt') return reads ? new Response(ROBOTS) : otherwise(method, 'GET, HEAD')
  return page(404, missingPage())
}

/** What may be asked here. No other site's script may: a preflight is told no more than anybody (RFC 9110, section 9.3.7). */
const otherwise = (method: string, allow: string) =>
  new Response(null, { status: method === 'OPTIONS' ? 204 : 405, headers: { Allow: `${allow}, OPTIONS` } })
