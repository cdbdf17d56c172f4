// base32 without padding (RFC 4648, section 6) in lower case: what survives the local part of a mail address, which a
// server on the way may write in another case. Apart from case every byte string has exactly one spelling.
import { decodeBits, encodeBits, valuesOf } from './base-bits.ts'

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'
const VALUES = valuesOf(ALPHABET, ALPHABET.toUpperCase())

export const encodeBase32 = (bytes: Uint8Array): string => encodeBits(bytes, ALPHABET, 5)

/** @returns null for padding, any other character, an impossible length or left-over bits that are not zero */
export function decodeBase32(text: string): Uint8Array<ArrayBuffer> | null {
  // A last group holds 1 to 4 bytes, which are 2, 4, 5 or 7 characters.
  return [1, 3, 6].includes(text.length % 8) ? null : decodeBits(text, VALUES, 5)
}
