import { decodeBase64url } from './base64url.ts'

/**
 * The signing keys of tracking tokens, parsed from SIGNING_KEYS: `id:state:secret` separated by commas, for example
 * `2:signing:<base64url of 32 bytes>,1:verifying:<...>`. Exactly one key is `signing`. A revoked key is one that is no
 * longer listed.
 */
export interface SigningKeys {
  /** The key new tokens are signed with. */
  signing: SigningKey
  byId: ReadonlyMap<number, SigningKey>
}

export interface SigningKey {
  /** 0 to 255; travels in the token. */
  id: number
  /** `redirect-only` keys still redirect and still unsubscribe, but record nothing. */
  state: KeyState
  key: CryptoKey
}

const KEY_STATES = ['signing', 'verifying', 'redirect-only'] as const
export type KeyState = (typeof KEY_STATES)[number]

/** As many bytes as HMAC-SHA256 puts out (RFC 2104, section 3, advises no fewer). */
const MIN_SECRET_BYTES = 32

/**
 * Reads SIGNING_KEYS.
 *
 * @throws Error that says which entry is wrong and how; it never holds a part of the text, which may be a secret
 */
export async function parseSigningKeys(text: string): Promise<SigningKeys> {
  if (text.trim() === '') throw new Error('SIGNING_KEYS is empty')
  const byId = new Map<number, SigningKey>()
  let signing: SigningKey | undefined
  for (const [index, entry] of text.split(',').entries()) {
    const key = await parseSigningKey(entry.trim(), `SIGNING_KEYS, entry ${index + 1}`)
    if (byId.has(key.id)) throw new Error(`SIGNING_KEYS, entry ${index + 1}: its id is taken by an entry before it`)
    byId.set(key.id, key)
    if (key.state !== 'signing') continue
    if (signing) throw new Error('SIGNING_KEYS: more than one key is "signing"')
    signing = key
  }
  if (!signing) throw new Error('SIGNING_KEYS: no key is "signing"')
  return { signing, byId }
}

async function parseSigningKey(entry: string, where: string): Promise<SigningKey> {
  const [id = '', state_text, secret_text, ...rest] = entry.split(':')
  if (secret_text === undefined || rest.length > 0) throw new Error(`${where}: is not id:state:secret`)
  if (!/^(0|[1-9][0-9]{0,2})$/.test(id) || Number(id) > 255) throw new Error(`${where}: the id is not 0 to 255`)
  const state = KEY_STATES.find((known) => known === state_text)
  if (!state) throw new Error(`${where}: the state is not one of ${KEY_STATES.join(', ')}`)
  const secret = decodeBase64url(secret_text)
  if (!secret) throw new Error(`${where}: the secret is not base64url without padding`)
  if (secret.length < MIN_SECRET_BYTES) {
    throw new Error(`${where}: the secret has ${secret.length} bytes, at least ${MIN_SECRET_BYTES} are needed`)
  }
  const key = await crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  return { id: Number(id), state, key }
}
