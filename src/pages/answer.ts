import { STYLE_HASH } from './layout.ts'

/**
 * What a public page may do: look as its one style says, and post its forms to us.
 *
 * @param style_hash - of its style
 * @param images - origins whose pictures it shows
 */
export const pagePolicy = (style_hash: string, images = '') =>
  `default-src 'none'; style-src '${style_hash}'; ${images && `img-src ${images}; `}form-action 'self'; base-uri 'none'; frame-ancestors 'none'`

const HEADERS = {
  'Content-Type': 'text/html; charset=utf-8',
  // Addresses of public pages hold tokens: they are not to be cached, indexed, framed or told to other sites.
  'Cache-Control': 'no-store',
  'X-Robots-Tag': 'noindex',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': pagePolicy(STYLE_HASH),
}

/** Answers with a page. */
export const page = (status: number, html: string, headers: Record<string, string> = {}) =>
  new Response(html, { status, headers: { ...HEADERS, ...headers } })
