import { STYLE_HASH } from './layout.ts'

const HEADERS = {
  'Content-Type': 'text/html; charset=utf-8',
  // Addresses of public pages hold tokens: they are not to be cached, indexed, framed or told to other sites.
  'Cache-Control': 'no-store',
  'X-Robots-Tag': 'noindex',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': `default-src 'none'; style-src '${STYLE_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
}

/** Answers with a page. */
export const page = (status: number, html: string, headers: Record<string, string> = {}) =>
  new Response(html, { status, headers: { ...HEADERS, ...headers } })
