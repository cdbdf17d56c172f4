// What an API key looks like and what is kept of it. Pure: the caller brings the randomness.
import { encodeBase64url } from '../tokens/base64url.ts'

export interface NewApiKey {
  /** Shown to its owner once: `emk_` and 43 characters of base64url (256 bits). */
  key: string
  /** The first 12 characters: enough for a person to recognise it, useless to a thief. */
  prefix: string
  /** Lower-case hex of the key's SHA-256. A key of 256 random bits needs no slow hash. */
  hash: string
}

/** What is no key by its look alone need not be looked up. */
export const looksLikeApiKey = (text: string) => /^emk_[\w-]{43}$/.test(text)

/** @param random - 32 random bytes */
export async function newApiKey(random: Uint8Array): Promise<NewApiKey> {
  if (random.length !== 32) throw new RangeError(`an API key takes 32 random bytes, not ${random.length}`)
  const key = `emk_${encodeBase64url(random)}`
  return { key, prefix: key.slice(0, 12), hash: await hashApiKey(key) }
}

/** Lower-case hex of the key's SHA-256, as `api_keys.hash` holds it. */
export async function hashApiKey(key: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(key)))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
