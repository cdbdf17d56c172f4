// The link half of click URLs: where to redirect, without any lookup. There are two kinds,
//
//   <key>.<campaign>.<n>.<base64url(url)>.<mac>    signed once per campaign and link, the same for every recipient
//   r<key>.<campaign>.<n>.<base64url(url)>.<mac>   made of one recipient's data, and good for that recipient only
//
// The MAC covers the text before it, so this text has no second spelling; in the second kind the subscriber, too.
import { decodeBase64url, encodeBase64url } from './base64url.ts'
import type { KeyState, SigningKey, SigningKeys } from './keys.ts'
import { mac, type Purpose, sameBytes } from './mac.ts'
import type { Recipient } from './recipient.ts'

export interface Link {
  campaign_id: number
  /** The link's number in its campaign, from 1. */
  n: number
  url: string
  /** The state of the key it was signed with: clicks on a `redirect-only` link are not recorded. */
  state: KeyState
}

const MAC_SIZE = 16
/** In bytes of UTF-8. As base64 beside its recipient half it stays well under the 16 KB a Worker takes as a URL. */
const MAX_URL_BYTES = 8000
const HALF = /^r?(0|[1-9][0-9]{0,2})\.([1-9][0-9]{0,15})\.([1-9][0-9]{0,8})\.([\w-]+)\.([\w-]{22})$/

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Whether a URL can be sent through the redirect: absolute, http or https, no control characters, not huge. */
export function isTrackable(url: string): boolean {
  // A lone surrogate has no UTF-8 and would come back as another URL.
  if (!/^https?:\/\/[^/?#\\]/i.test(url) || !url.isWellFormed()) return false
  for (let i = 0; i < url.length; i++) {
    const code = url.charCodeAt(i)
    if (code < 32 || code === 127) return false
  }
  return encoder.encode(url).length <= MAX_URL_BYTES && URL.canParse(url)
}

/**
 * Signs one link of a campaign. The URL comes back byte for byte.
 *
 * @param n - the link's number, from 1
 * @throws RangeError for a URL that `isTrackable` refuses
 */
export function signLink(keys: SigningKeys, campaign_id: number, n: number, url: string): Promise<string> {
  return sign(keys, { campaign_id, n, url }, null)
}

/**
 * Signs one link as it is for one recipient: it redirects only beside that recipient's own half.
 *
 * @throws RangeError for a URL that `isTrackable` refuses
 */
export function signRecipientLink(
  keys: SigningKeys,
  { campaign_id, subscriber_id }: Omit<Recipient, 'state'>,
  n: number,
  url: string,
): Promise<string> {
  return sign(keys, { campaign_id, n, url }, subscriber_id)
}

/** Good halves an isolate remembers by its keys. A campaign has a few links and many readers; only signed halves get in. */
const known = new WeakMap<SigningKeys, Map<string, Link>>()
const MOST_KNOWN = 200

/** @returns null for anything that `signLink` did not write with one of these keys */
export async function verifyLink(keys: SigningKeys, half: string): Promise<Link | null> {
  const links = known.get(keys) ?? new Map<string, Link>()
  const seen = links.get(half)
  if (seen) return seen
  const link = isRecipientLink(half) ? null : await verify(keys, half, null)
  if (!link) return null
  known.set(keys, links.set(half, link))
  for (const oldest of links.keys()) {
    if (links.size <= MOST_KNOWN) break
    links.delete(oldest)
  }
  return link
}

/** @returns null for anything that `signRecipientLink` did not write for this recipient with one of these keys */
export async function verifyRecipientLink(
  keys: SigningKeys,
  half: string,
  { campaign_id, subscriber_id }: Omit<Recipient, 'state'>,
): Promise<Link | null> {
  const link = isRecipientLink(half) ? await verify(keys, half, subscriber_id) : null
  return link?.campaign_id === campaign_id ? link : null
}

/** Whether a half is of the kind that needs its recipient. */
export const isRecipientLink = (half: string) => half.startsWith('r')

async function sign(keys: SigningKeys, link: Omit<Link, 'state'>, subscriber_id: number | null): Promise<string> {
  const { campaign_id, n, url } = link
  if (!isTrackable(url)) throw new RangeError('only absolute http and https URLs of moderate length can be tracked')
  const kind = subscriber_id === null ? '' : 'r'
  const signed = `${kind}${keys.signing.id}.${campaign_id}.${n}.${encodeBase64url(encoder.encode(url))}`
  const half = `${signed}.${encodeBase64url(await macOf(keys.signing, signed, subscriber_id))}`
  if (!HALF.test(half)) throw new RangeError('campaign and link number must be positive integers')
  return half
}

async function verify(keys: SigningKeys, half: string, subscriber_id: number | null): Promise<Link | null> {
  const match = HALF.exec(half)
  if (!match) return null
  const [, key_id, campaign_id, n, url_text = '', mac_text = ''] = match
  const key = keys.byId.get(Number(key_id))
  const tag = decodeBase64url(mac_text)
  if (!key || !tag) return null
  const signed = half.slice(0, half.length - mac_text.length - 1)
  if (!sameBytes(await macOf(key, signed, subscriber_id), tag)) return null
  const url = decodeUrl(url_text)
  // Asked again: what an older release signed must still pass the rules of this one.
  if (url === null || !isTrackable(url)) return null
  return { campaign_id: Number(campaign_id), n: Number(n), url, state: key.state }
}

function macOf(key: SigningKey, signed: string, subscriber_id: number | null): Promise<Uint8Array<ArrayBuffer>> {
  const [purpose, text]: [Purpose, string] =
    subscriber_id === null ? ['link', signed] : ['recipient link', `${signed}.${subscriber_id}`]
  return mac(key, purpose, encoder.encode(text), MAC_SIZE)
}

function decodeUrl(text: string): string | null {
  const bytes = decodeBase64url(text)
  if (!bytes) return null
  try {
    return decoder.decode(bytes)
  } catch {
    return null
  }
}
