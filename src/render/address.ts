/**
 * A web address as it is stored, signed and redirected to: as written, unless it holds what an HTTP header may not
 * (accents, spaces).
 *
 * @returns null when it is no address
 */
export function webAddress(address: string): string | null {
  if (!URL.canParse(address)) return null
  return /^[\x21-\x7e]+$/.test(address) ? address : new URL(address).href
}

/** Schemes that lead out of a mail besides the web. */
const SCHEMES = new Set(['http', 'https', 'mailto', 'tel', 'sms'])

/**
 * What an address's scheme is, with what browsers skip in it skipped: control characters and white space.
 *
 * @returns null when it has none, as `#top` and `/shop`
 */
export function schemeOf(address: string): string | null {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(address.replace(/[\p{Cc}\s]/gu, ''))
  return scheme?.[1]?.toLowerCase() ?? null
}

/** Whether links in mails may have that scheme: none that runs something, and none that a mail program does not know. */
export const isAllowedScheme = (scheme: string) => SCHEMES.has(scheme)
