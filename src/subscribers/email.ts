import { detached } from './detached.ts'

/** Octets of a local part and of a whole address (RFC 5321 4.5.3.1.1 and RFC 3696 erratum 1690). */
const LOCAL_LIMIT = 64
const ADDRESS_LIMIT = 254
/** Text longer than this is refused before anything else looks at it. */
const INPUT_LIMIT = 1_000

/** RFC 5321 Dot-string: what every server accepts without quoting. */
const DOT_STRING = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/
/** Host names of at least two labels (RFC 1123 2.1), already in lower-case ASCII; the last label is never a number. */
const HOST_NAME = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?!\d+$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/
/** ASCII as East Asian keyboards also write it, at a fixed distance from itself. */
const FULL_WIDTH = /[\uff01-\uff5e]/g
const FULL_WIDTH_OFFSET = 0xfee0
/** Blanks, controls and invisible characters; ZWNJ and ZWJ are letters' joiners in some scripts' domains (RFC 5892 A). */
const HIDDEN = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Z}\p{Cs}]/u
/** What a URL parser would read as something other than a host. */
const URL_SYNTAX = /[:/?#[\]\\%@]/

/**
 * The one spelling of an address: trimmed, in half width, domain in lower-case punycode, local part in the case it came in (only its
 * owner's server may say whether case matters; we compare without it). Or the reason why it is not an address we mail:
 * quoted local parts, address literals and non-ASCII local parts (they need SMTPUTF8, RFC 6531, which most servers
 * between us and the reader do not offer) are refused.
 */
export function normaliseEmail(text: string): { email: string } | { problem: string } {
  if (text.length > INPUT_LIMIT) return { problem: `is longer than ${ADDRESS_LIMIT} characters` }
  const trimmed = text.trim().replace(FULL_WIDTH, (char) => String.fromCharCode(char.charCodeAt(0) - FULL_WIDTH_OFFSET))
  if (trimmed === '') return { problem: 'is empty' }
  if (HIDDEN.test(trimmed)) return { problem: 'contains a space, a control character or an invisible character' }
  if (/[<>,;"()]/.test(trimmed))
    return { problem: 'must be one bare address, without name, quotes, brackets or commas' }
  const at = trimmed.indexOf('@')
  if (at < 0 || at !== trimmed.lastIndexOf('@')) return { problem: 'must contain exactly one @' }
  const local = trimmed.slice(0, at)
  if (local === '') return { problem: 'has nothing before the @' }
  if (!isAscii(local)) return { problem: 'has a non-ASCII character before the @, which few mail servers accept' }
  if (local.length > LOCAL_LIMIT) return { problem: `has more than ${LOCAL_LIMIT} characters before the @` }
  if (!DOT_STRING.test(local)) return { problem: 'has a misplaced dot or a forbidden character before the @' }
  const domain = normaliseDomain(trimmed.slice(at + 1))
  if ('problem' in domain) return { problem: `has a domain that ${domain.problem}` }
  const email = `${local}@${domain.domain}`
  return email.length > ADDRESS_LIMIT ? { problem: `is longer than ${ADDRESS_LIMIT} characters` } : { email }
}

type Domain = { domain: string } | { problem: string }

/** Domains as they came in: parsing one takes microseconds, and most people of a file share a few. */
const known = new Map<string, Domain>()
const KNOWN_LIMIT = 2_000

/** The one spelling of a mail domain: lower-case, international labels in punycode. Address literals are refused. */
export function normaliseDomain(text: string): Domain {
  let result = known.get(text)
  if (!result) {
    result = parseDomain(text)
    if (known.size >= KNOWN_LIMIT) known.clear()
    known.set(detached(text), result)
  }
  return result
}

function parseDomain(text: string): Domain {
  if (text === '') return { problem: 'is empty' }
  if (text.length > INPUT_LIMIT || HIDDEN.test(text) || URL_SYNTAX.test(text)) {
    return { problem: 'contains a forbidden character' }
  }
  const domain = hostOf(text)
  if (domain === null) return { problem: 'is not a valid host name' }
  if (domain.length > 253) return { problem: 'is longer than 253 characters' }
  if (/^[\d.]+$/.test(domain)) return { problem: 'is an IP address' }
  if (!domain.includes('.')) return { problem: 'has no dot' }
  return HOST_NAME.test(domain) ? { domain } : { problem: 'is not a valid host name' }
}

/**
 * Part of a domain, of whole labels, in lower-case punycode; null where it is ASCII already or nothing that a domain could
 * hold.
 */
export function asciiHost(text: string): string | null {
  if (isAscii(text) || text.length > INPUT_LIMIT || HIDDEN.test(text) || URL_SYNTAX.test(text)) return null
  return hostOf(text)
}

function hostOf(text: string): string | null {
  try {
    return new URL(`http://${text}`).hostname
  } catch {
    return null
  }
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false
  return true
}
