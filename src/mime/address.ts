import { UnsendableMail } from '../providers/provider.ts'

/** An address in the form that goes on the wire. */
export interface WireAddress {
  /** Domain in ASCII (punycode); the local part is UTF-8 when `needs_smtputf8`. */
  address: string
  /** The local part has characters outside ASCII: only servers with SMTPUTF8 (RFC 6531) take it. */
  needs_smtputf8: boolean
}

const ASCII_ATOMS = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/
const ASCII_LOOSE = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+$/
const UTF8_LOOSE = /^(?:[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]|[^\p{ASCII}\p{Z}\p{C}])+$/u
const ASCII_DOMAIN =
  /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/i
const ONLY_DIGITS_AT_END = /(?:^|\.)[0-9]+$/
/** What would make a URL parser see more than a host. */
const NOT_A_HOST = /[\p{ASCII}--[A-Za-z0-9.\-]]/v

/**
 * The address as SMTP and a header may carry it: nothing in it can end a command, a header or a bracket.
 * @param part what to call it in the error: "to", "from", "reply_to", "envelope_from"
 * @throws {UnsendableMail}
 */
export function wireAddress(email: string, part: string): WireAddress {
  const at = email.lastIndexOf('@')
  const local = email.slice(0, at)
  if (at < 1) throw new UnsendableMail(`${part}: not an email address`)
  const domain = wireDomain(email.slice(at + 1), part)
  if (ASCII_ATOMS.test(local)) return checked(local, domain, false, part)
  // Dots at the ends or in a row exist in the wild (old Japanese mobile addresses); RFC 5321 wants them quoted.
  if (ASCII_LOOSE.test(local)) return checked(`"${local}"`, domain, false, part)
  if (UTF8_LOOSE.test(local) && local.isWellFormed()) return checked(local, domain, true, part)
  throw new UnsendableMail(`${part}: the part before the @ has characters that no server takes`)
}

function checked(local: string, domain: string, needs_smtputf8: boolean, part: string): WireAddress {
  // RFC 5321 4.5.3.1: 64 octets for the local part, 254 for what fits a path in brackets.
  const octets = needs_smtputf8 ? new TextEncoder().encode(local).length : local.length
  if (octets > 64 || octets + 1 + domain.length > 254) throw new UnsendableMail(`${part}: the address is too long`)
  return { address: `${local}@${domain}`, needs_smtputf8 }
}

/** @throws {UnsendableMail} */
function wireDomain(domain: string, part: string): string {
  let ascii = domain
  if (!ASCII_DOMAIN.test(domain)) {
    if (domain === '' || NOT_A_HOST.test(domain)) throw new UnsendableMail(`${part}: the domain is not a host name`)
    try {
      ascii = new URL(`http://${domain}`).hostname
    } catch {
      throw new UnsendableMail(`${part}: the domain is not a host name`)
    }
  }
  if (!ASCII_DOMAIN.test(ascii) || ONLY_DIGITS_AT_END.test(ascii)) {
    throw new UnsendableMail(`${part}: the domain is not a host name`)
  }
  return ascii
}
