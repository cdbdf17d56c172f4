// The link half of click URLs, signed once per campaign and link: where to redirect, without any lookup.
//
//   <key>.<campaign>.<n>.<base64url(url)>.<mac>
//
// The MAC covers the text before it, so this text has no second spelling.
import { decodeBase64url, encodeBase64url } from './base64url.ts'
import type { KeyState, SigningKeys } from './keys.ts'
import { mac, sameBytes } from './mac.ts'

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
const HALF = /^(0|[1-9][0-9]{0,2})\.([1-9][0-9]{0,15})\.([1-9][0-9]{0,8})\.([\w-]+)\.([\w-]{22})$/

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
export async function signLink(keys: SigningKeys, campaign_id: number, n: number, url: string): Promise<string> {
  if (!isTrackable(url)) throw new RangeError('only absolute http and https URLs of moderate length can be tracked')
  const signed = `${keys.signing.id}.${campaign_id}.${n}.${encodeBase64url(encoder.encode(url))}`
  const tag = await mac(keys.signing, 'link', encoder.encode(signed), MAC_SIZE)
  const half = `${signed}.${encodeBase64url(tag)}`
  if (!HALF.test(half)) throw new RangeError('campaign and link number must be positive integers')
  return half
}

/** @returns null for anything that `signLink` did not write with one of these keys */
export async function verifyLink(keys: SigningKeys, half: string): Promise<Link | null> {
  const match = HALF.exec(half)
  if (!match) return null
  const [, key_id, campaign_id, n, url_text = '', mac_text = ''] = match
  const key = keys.byId.get(Number(key_id))
  const tag = decodeBase64url(mac_text)
  if (!key || !tag) return null
  const signed = half.slice(0, half.length - mac_text.length - 1)
  if (!sameBytes(await mac(key, 'link', encoder.encode(signed), MAC_SIZE), tag)) return null
  const url = decodeUrl(url_text)
  // Asked again: what an older release signed must still pass the rules of this one.
  if (url === null || !isTrackable(url)) return null
  return { campaign_id: Number(campaign_id), n: Number(n), url, state: key.state }
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
