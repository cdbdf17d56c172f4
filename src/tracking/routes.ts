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
  const [, first, second = '', third = '', ...rest] = pathname.split('/')
  const reads = request.method === 'GET' || request.method === 'HEAD'

  if (first === 't' && second === 'o' && third) {
    return reads ? open(request, third, await services(), ctx) : notAllowed('GET, HEAD')
  }
  if (first === 't' && second === 'c' && third && rest.length === 1) {
    return reads ? click(request, third, rest[0] ?? '', await services(), ctx) : notAllowed('GET, HEAD')
  }
  if (first === 'u' && second && !third && rest.length === 0) {
    return reads || request.method === 'POST'
      ? unsubscribe(request, second, await services())
      : notAllowed('GET, HEAD, POST')
  }
  if (pathname === '/robots.txt') return reads ? new Response(ROBOTS) : notAllowed('GET, HEAD')
  return page(404, missingPage())
}

const notAllowed = (allow: string) => new Response(null, { status: 405, headers: { Allow: allow } })
