// base64url without padding (RFC 4648, section 5), in its one canonical form only: every byte string has exactly one
// spelling, so a token cannot be written in two ways.
import { decodeBits, encodeBits, valuesOf } from './base-bits.ts'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const VALUES = valuesOf(ALPHABET)

export const encodeBase64url = (bytes: Uint8Array): string => encodeBits(bytes, ALPHABET, 6)

/** @returns null for padding, any other character, an impossible length or left-over bits that are not zero */
export function decodeBase64url(text: string): Uint8Array<ArrayBuffer> | null {
  return text.length % 4 === 1 ? null : decodeBits(text, VALUES, 6)
}
