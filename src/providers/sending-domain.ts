/** A record that a service wants in DNS; an MX value begins with its preference. */
export interface WantedRecord {
  type: 'TXT' | 'CNAME' | 'MX'
  name: string
  value: string
}

/** What a service holds of a domain that mail is sent from. */
export interface SendingDomain {
  /** False when the service does not know the domain: it would refuse its mail. */
  known: boolean
  /** What it signs with; `record` is null where it does not say what belongs there. */
  keys: { domain: string; selector: string; record: WantedRecord | null }[]
  /** Where bounces go; null for a domain of the service's own. */
  return_path: { domain: string; record: WantedRecord | null } | null
}

export const UNKNOWN_DOMAIN: SendingDomain = { known: false, keys: [], return_path: null }

/** A domain and those above it, down to two labels: a service that knows one of them sends for what is below. */
export function withParents(domain: string): string[] {
  const labels = domain.split('.')
  return labels.slice(0, Math.max(1, labels.length - 1)).map((_, i) => labels.slice(i).join('.'))
}

/** What an answer of Amazon SES' GetEmailIdentity says. @param domain - the identity's name */
export function sesDomain(domain: string, identity: Record<string, unknown>): SendingDomain {
  const { Tokens, SigningEnabled, SigningAttributesOrigin, SigningHostedZone } = objectOf(identity.DkimAttributes)
  const tokens = Array.isArray(Tokens) && SigningEnabled !== false ? Tokens.filter(isLabel) : []
  // With a key of one's own (BYODKIM) the token is its selector, and the record was never Amazon's.
  const is_own = SigningAttributesOrigin === 'EXTERNAL'
  const zone = typeof SigningHostedZone === 'string' ? SigningHostedZone : 'dkim.amazonses.com'
  const { MailFromDomain } = objectOf(identity.MailFromAttributes)
  return {
    known: identity.VerifiedForSendingStatus !== false || tokens.length > 0,
    keys: tokens.map((selector) => ({
      domain,
      selector,
      record: is_own ? null : { type: 'CNAME', name: `${selector}._domainkey.${domain}`, value: `${selector}.${zone}` },
    })),
    return_path: typeof MailFromDomain === 'string' && MailFromDomain ? { domain: MailFromDomain, record: null } : null,
  }
}

/** What SendGrid's list of authenticated domains says of one. */
export function sendGridDomain(domain: string, list: unknown): SendingDomain {
  const names = withParents(domain)
  const entries = (Array.isArray(list) ? list : []).map(objectOf)
  const fitting = entries
    .filter((entry) => typeof entry.domain === 'string' && names.includes(entry.domain.toLowerCase()))
    .sort((a, b) => Number(b.valid === true) - Number(a.valid === true) || rank(names, a) - rank(names, b))
  const [chosen] = fitting
  if (!chosen) return UNKNOWN_DOMAIN
  const records = Object.entries(objectOf(chosen.dns)).flatMap(([use, value]) => {
    const { type, host, data } = objectOf(value)
    const kind = String(type).toUpperCase()
    if (typeof host !== 'string' || typeof data !== 'string') return []
    if (kind !== 'TXT' && kind !== 'CNAME' && kind !== 'MX') return []
    const record: WantedRecord = { type: kind, name: host.toLowerCase(), value: kind === 'MX' ? `10 ${data}` : data }
    return [{ use, record }]
  })
  const path = records.find(({ use }) => use === 'mail_cname' || use === 'mail_server')
  return {
    known: true,
    keys: records.flatMap(({ record }) => {
      const [selector, of] = record.name.split('._domainkey.')
      return selector && of ? [{ domain: of, selector, record }] : []
    }),
    return_path: path ? { domain: path.record.name, record: path.record } : null,
  }
}

const rank = (names: readonly string[], entry: Record<string, unknown>) => names.indexOf(String(entry.domain))

const isLabel = (value: unknown): value is string => typeof value === 'string' && /^[A-Za-z0-9-]{1,63}$/.test(value)

const objectOf = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? { ...value } : {}
