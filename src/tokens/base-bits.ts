// Bytes as characters that hold a few bits each (RFC 4648), without padding: what base64url and base32 share.

const INVALID = 255

/** The value of each character, by its code. */
export function valuesOf(...alphabets: string[]): Uint8Array {
  const values = new Uint8Array(128).fill(INVALID)
  for (const alphabet of alphabets) {
    for (let i = 0; i < alphabet.length; i++) values[alphabet.charCodeAt(i)] = i
  }
  return values
}

/** @param width - bits a character holds; the alphabet has 2 to that power */
export function encodeBits(bytes: Uint8Array, alphabet: string, width: number): string {
  const mask = (1 << width) - 1
  let text = ''
  let bits = 0
  let held = 0
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xffff
    bits += 8
    while (bits >= width) {
      bits -= width
      text += alphabet[(held >> bits) & mask]
    }
  }
  return bits === 0 ? text : text + alphabet[(held << (width - bits)) & mask]
}

/** @returns null for padding, any other character, or left-over bits that are not zero; lengths are the caller's to judge */
export function decodeBits(text: string, values: Uint8Array, width: number): Uint8Array<ArrayBuffer> | null {
  const bytes = new Uint8Array(Math.floor((text.length * width) / 8))
  let at = 0
  let bits = 0
  let held = 0
  for (let i = 0; i < text.length; i++) {
    const value = values[text.charCodeAt(i)] ?? INVALID
    if (value === INVALID) return null
    held = ((held << width) | value) & 0xffff
    bits += width
    if (bits >= 8) {
      bits -= 8
      bytes[at++] = (held >> bits) & 255
    }
  }
  return (held & ((1 << bits) - 1)) === 0 ? bytes : null
}
