// Where messages may go: whoever may set an endpoint must not be able to make this Worker call what only it can reach.
import type { Resolver } from '../doctor/resolver.ts'
import { isPublicAddress } from './address.ts'

export interface GuardOptions {
  /** ENVIRONMENT=development: this computer may be named, without TLS too. */
  development: boolean
  /** PUBLIC_URL and TRACKING_URL: an endpoint of our own would answer itself. */
  own_urls: readonly string[]
}

const MAX_URL = 2000

/** Ends of names that are not on the public internet (RFC 6761, 6762, 8375, 9476, ICANN's .internal, and customs). */
const PRIVATE_ENDS =
  /\.(?:local|localhost|localdomain|internal|intranet|lan|home|corp|private|arpa|alt|onion|invalid|test|example)$/

/**
 * Whether an address may be an endpoint, by its look alone. URL reads every spelling of an IP address (decimal, octal,
 * hexadecimal, short, full-width) to the same one, and international names to their ASCII form.
 *
 * @returns why not; null when it may
 */
export function refusedUrl(text: string, { development, own_urls }: GuardOptions): string | null {
  if (text.length > MAX_URL) return `must have at most ${MAX_URL} characters`
  // URL drops tabs and line breaks, and takes a backslash for a slash.
  if (/[\s\\]/.test(text)) return 'must not contain spaces, line breaks or backslashes'
  if (!URL.canParse(text)) return 'must be an address such as https://example.com/hooks'
  const url = new URL(text)
  if (url.username !== '' || url.password !== '') return 'must not contain a user name or password'
  if (url.hash !== '') return 'must not contain a fragment (#)'
  if (development && isLoopback(url.hostname) && /^https?:$/.test(url.protocol)) return null
  if (url.protocol !== 'https:') return 'must begin with https://'
  if (url.port !== '' && Number(url.port) < 1024) return 'must use port 443, or one from 1024 on'
  return refusedHost(url.hostname, own_urls)
}

function refusedHost(hostname: string, own_urls: readonly string[]): string | null {
  if (hostname.startsWith('[') || /^[\d.]+$/.test(hostname)) return 'must name a host, not an IP address'
  if (hostname.endsWith('.')) return 'must not have a dot at the end of the host'
  if (
    !/^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z][a-z0-9-]*[a-z0-9]$/.test(hostname) ||
    hostname.length > 253
  ) {
    return 'must name a host on the internet, such as example.com'
  }
  if (PRIVATE_ENDS.test(hostname)) return 'must name a host on the internet; this name is for private networks'
  if (own_urls.some((own) => URL.canParse(own) && new URL(own).hostname === hostname)) {
    return 'must not be an address of this installation'
  }
  return null
}

/**
 * Whether its name leads only to public addresses now. What the name leads to a moment later, when the request is made, is
 * not in our hands: Workers cannot be told which address to connect to.
 *
 * @returns why not; null when it does
 */
export async function refusedByDns(text: string, resolver: Resolver, development: boolean): Promise<string | null> {
  const { hostname } = new URL(text)
  if (development && isLoopback(hostname)) return null
  const answers = await Promise.all([resolver.look(hostname, 'A'), resolver.look(hostname, 'AAAA')])
  const addresses = answers.flatMap((answer) => (answer.kind === 'found' ? answer.values : []))
  if (addresses.some((address) => !isPublicAddress(address))) {
    return 'must name a host on the internet; this name leads to a private address'
  }
  // Half an answer may hide the half that would have been refused.
  if (answers.some(({ kind }) => kind === 'failed')) return 'cannot be looked up in DNS at the moment'
  return addresses.length > 0 ? null : 'must name a host that exists: DNS has no address for it'
}

const isLoopback = (hostname: string) => hostname === 'localhost' || hostname === '127.0.0.1' || hostname === '[::1]'
