// Links whose address is made of a recipient's data. Rendering is synchronous and signing is not: so a rendered part
// holds each such link between two marks, `<mark><n> <origin> <address><mark>`, and is taken apart at them afterwards.
import { isAllowedScheme, schemeOf, webAddress } from './address.ts'
import { type ContentPart, DeadLinkError } from './errors.ts'
import type { LinkHosts } from './link-hosts.ts'

/** How the links of one recipient become tracked ones. */
export interface LinkTracking {
  /** Hosts that a variable may supply. */
  hosts: LinkHosts
  /** Addresses that are ours and never tracked. */
  direct: readonly string[]
  /**
   * Gives the address that redirects to `url` for this recipient; null where none is tracked.
   *
   * @throws RangeError when it is too long
   */
  sign: ((n: number, url: string) => Promise<string>) | null
}

/** What stands for an origin that variables supply. */
export const ANY_ORIGIN = '*'

/** Puts the addresses there as they are. */
export function plainLinksOf(rendered: string, mark: string): string {
  return rendered
    .split(mark)
    .map((piece, i) => (i % 2 === 0 ? piece : read(piece).address))
    .join('')
}

/**
 * Puts tracked addresses there. One whose host neither the author nor LINK_HOSTS names stays as it is: whoever fills in a
 * sign-up form could else make our domain redirect anywhere.
 *
 * @throws {DeadLinkError} for a link that would lead this recipient nowhere
 */
export async function trackLinksOf(
  rendered: string,
  mark: string,
  part: Extract<ContentPart, 'html' | 'text'>,
  tracking: LinkTracking,
): Promise<string> {
  const pieces = rendered.split(mark)
  for (let i = 1; i < pieces.length; i += 2) {
    const { n, origin, address } = read(pieces[i] ?? '')
    const url = (part === 'html' ? fromHtml(address) : address).trim()
    const target = targetOf(url, origin, tracking)
    if (target === null) throw new DeadLinkError(`link ${n} leads nowhere with this recipient's data`, part)
    pieces[i] = target.tracked && tracking.sign ? await sign(tracking.sign, n, target.url, part) : address
  }
  return pieces.join('')
}

function targetOf(
  address: string,
  origin: string,
  { hosts, direct }: LinkTracking,
): { url: string; tracked: boolean } | null {
  if (address.startsWith('#') || direct.includes(address)) return { url: address, tracked: false }
  const scheme = schemeOf(address)
  if (scheme === null || !isAllowedScheme(scheme)) return null
  if (scheme !== 'http' && scheme !== 'https') return { url: address, tracked: false }
  const url = webAddress(address)
  if (url === null) return null
  const found = new URL(url)
  if (origin === ANY_ORIGIN) return { url, tracked: hosts(found.hostname) }
  return found.origin === origin ? { url, tracked: true } : null
}

async function sign(
  signed: NonNullable<LinkTracking['sign']>,
  n: number,
  url: string,
  part: ContentPart,
): Promise<string> {
  try {
    return await signed(n, url)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new DeadLinkError(`link ${n} is too long with this recipient's data`, part)
  }
}

function read(piece: string): { n: number; origin: string; address: string } {
  const [, n, origin = '', address = ''] = /^(\d+) (\S+) ([\s\S]*)$/.exec(piece) ?? []
  return { n: Number(n), origin, address }
}

const ENTITIES: Record<string, string> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#x27;': "'",
  '&#x60;': '`',
  '&#x3D;': '=',
}

/** Undoes what Handlebars does to variables and splice.ts to the author's own part of an address. */
function fromHtml(html: string): string {
  return html.replace(/&(?:amp|lt|gt|quot|#x27|#x60|#x3D);/g, (entity) => ENTITIES[entity] ?? entity)
}
