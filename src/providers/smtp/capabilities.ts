import type { Reply } from './reply.ts'

/** What the server said it can do, in its last EHLO reply. */
export interface Capabilities {
  pipelining: boolean
  eight_bit_mime: boolean
  smtputf8: boolean
  starttls: boolean
  /** The SIZE extension is there (RFC 1870). */
  size: boolean
  /** Largest message in octets; 0 = no fixed limit. */
  max_size: number
  /** Mechanisms, upper case. */
  auth: string[]
}

export function capabilitiesOf(reply: Reply): Capabilities {
  const found: Capabilities = {
    pipelining: false,
    eight_bit_mime: false,
    smtputf8: false,
    starttls: false,
    size: false,
    max_size: 0,
    auth: [],
  }
  // The first line is the server's name.
  for (const line of reply.lines.slice(1)) {
    const [keyword = '', ...parameters] = line.trim().toUpperCase().split(/[ =]+/)
    if (keyword === 'PIPELINING') found.pipelining = true
    else if (keyword === '8BITMIME') found.eight_bit_mime = true
    else if (keyword === 'SMTPUTF8') found.smtputf8 = true
    else if (keyword === 'STARTTLS') found.starttls = true
    else if (keyword === 'AUTH') found.auth.push(...parameters)
    else if (keyword === 'SIZE') {
      found.size = true
      found.max_size = Number(parameters[0] ?? 0) || 0
    }
  }
  return found
}
