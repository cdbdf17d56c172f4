/**
 * The signing keys of tracking tokens, parsed from SIGNING_KEYS: `id:state:secret` separated by commas, for example
 * `2:signing:<base64url of 32 bytes>,1:verifying:<...>`. Exactly one key is `signing`.
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
  state: 'signing' | 'verifying' | 'redirect-only'
  key: CryptoKey
}
