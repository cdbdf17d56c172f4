// base32 without padding (RFC 4648, section 6) in lower case: what survives the local part of a mail address, which a
// server on the way may write in another case. Apart from case every byte string has exactly one spelling.

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'
const INVALID = 255
const VALUES = new Uint8Array(128).fill(INVALID)
for (let i = 0; i < 32; i++) {
  VALUES[ALPHABET.charCodeAt(i)] = i
  VALUES[ALPHABET.toUpperCase().charCodeAt(i)] = i
}

export function encodeBase32(bytes: Uint8Array): string {
  let text = ''
  let bits = 0
  let held = 0
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xffff
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += ALPHABET[(held >> bits) & 31]
    }
  }
  return bits === 0 ? text : text + ALPHABET[(held << (5 - bits)) & 31]
}

/** @returns null for padding, any other character, an impossible length or left-over bits that are not zero */
export function decodeBase32(text: string): Uint8Array<ArrayBuffer> | null {
  // A last group holds 1 to 4 bytes, which are 2, 4, 5 or 7 characters.
  if ([1, 3, 6].includes(text.length % 8)) return null
  const bytes = new Uint8Array(Math.floor((text.length * 5) / 8))
  let at = 0
  let bits = 0
  let held = 0
  for (let i = 0; i < text.length; i++) {
    const value = VALUES[text.charCodeAt(i)] ?? INVALID
    if (value === INVALID) return null
    held = ((held << 5) | value) & 0xffff
    bits += 5
    if (bits >= 8) {
      bits -= 8
      bytes[at++] = (held >> bits) & 255
    }
  }
  return (held & ((1 << bits) - 1)) === 0 ? bytes : null
}
