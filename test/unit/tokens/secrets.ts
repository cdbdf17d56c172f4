import { encodeBase64url } from '../../../src/tokens/base64url.ts'
import { parseSigningKeys } from '../../../src/tokens/keys.ts'

/** A different secret of 32 bytes for each seed. */
export const secretOf = (seed: number) =>
  encodeBase64url(Uint8Array.from({ length: 32 }, (_, i) => (seed * 37 + i) % 256))

/** `2:signing,1:verifying` with secrets that depend on the id alone. */
export const keysOf = (ids: string) =>
  parseSigningKeys(
    ids
      .split(',')
      .map((entry) => `${entry}:${secretOf(Number.parseInt(entry, 10))}`)
      .join(','),
  )
