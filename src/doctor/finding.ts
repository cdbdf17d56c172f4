/** A record to put into DNS. A TXT value is without quotes, an MX value begins with its preference. */
export interface DnsRecord {
  type: 'TXT' | 'CNAME' | 'MX'
  /** The full name, without a dot at the end. */
  name: string
  value: string
}

export const SEVERITIES = ['ok', 'warning', 'error'] as const
export type Severity = (typeof SEVERITIES)[number]

export const CHECKS = ['domain', 'spf', 'dkim', 'dmarc', 'alignment', 'return_path', 'urls', 'accounts'] as const
export type Check = (typeof CHECKS)[number]

/** One thing that was looked at, and how it stands. */
export interface Finding {
  check: Check
  /** What was found, for programs: `revoked`. The same words always mean the same. */
  code: string
  /** Whose it is: a name in DNS, a URL, or an account. */
  about: string
  severity: Severity
  /** For a person, with what to do. */
  what: string
  /** Takes the place of the record of its kind (SPF, DKIM, DMARC) at that name, if there is one; null when it cannot be known. */
  fix: DnsRecord | null
  /** What demands it: an RFC, or the page of a provider. */
  source: string | null
}

/** Characters of somebody else's text that are shown. */
const SHOWN = 300

/** Text from DNS or a server as it may be shown: in one line, bounded, without control characters. */
export function shown(text: string, limit = SHOWN): string {
  const line = text.replace(/[\p{C}\s]+/gu, ' ').trim()
  return line.length > limit ? `${line.slice(0, limit)}...` : line
}

/** A lookup that had no answer: nothing is known then, and nothing is well. */
export const notLookedUp = (check: Check, about: string, why: string): Finding => ({
  check,
  code: NOT_LOOKED_UP,
  about,
  severity: 'error',
  what: `${about} could not be looked up: ${shown(why)}. Nothing is known of it: try again, and if it stays so, have its name servers looked at.`,
  fix: null,
  source: null,
})

export const NOT_LOOKED_UP = 'not_looked_up'
