import { getDomain } from 'tldts'

/** @returns the name in ASCII and lower case, or null for what is no name in DNS below a top-level domain */
export function asciiDomain(text: string): string | null {
  const name = text.trim().replace(/\.$/, '').toLowerCase()
  if (name === '' || /[\s/:?#@%\\]/.test(name)) return null
  let ascii: string
  try {
    ascii = new URL(`http://${name}`).hostname
  } catch {
    return null
  }
  return isDomain(ascii) ? ascii : null
}

/** Host names and the names with underscores below them; no address of the form 192.0.2.1. */
export const isDomain = (name: string) =>
  name.length <= 253 && /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+(?!\d+$)[a-z0-9-]{2,63}$/i.test(name)

/** The registered domain that a name belongs to, by the public suffix list (RFC 7489 3.2); the name itself when it is one. */
export const organisationalDomain = (name: string) => getDomain(name, { allowPrivateDomains: true }) ?? name

/** Whether mail authenticated for `domain` counts for a From address of `from` (RFC 7489 3.1). */
export const isAligned = (domain: string, from: string, strict: boolean) =>
  domain === from || (!strict && organisationalDomain(domain) === organisationalDomain(from))
