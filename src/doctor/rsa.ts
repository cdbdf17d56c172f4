// The public key in a DKIM record: SubjectPublicKeyInfo in DER (RFC 5280 4.1, RFC 8017 A.1.1). Read by hand, because what is
// found in DNS may be too short for a crypto library to take, and that must be told apart from what is no key at all.

const SEQUENCE = 0x30
const INTEGER = 0x02
const BIT_STRING = 0x03
const OBJECT = 0x06
/** 1.2.840.113549.1.1.1, rsaEncryption. */
const RSA = '2a864886f70d010101'

/** @returns the modulus' length in bits, or null for what is not an RSA key as receivers read it */
export function rsaBits(der: Uint8Array): number | null {
  const info = read(der, SEQUENCE)
  const algorithm = info && read(info.content, SEQUENCE)
  const object = algorithm && read(algorithm.content, OBJECT)
  const bits = algorithm && read(algorithm.rest, BIT_STRING)
  if (!object || !bits || hex(object.content) !== RSA || bits.content[0] !== 0) return null
  const key = read(bits.content.subarray(1), SEQUENCE)
  const modulus = key && read(key.content, INTEGER)
  if (!modulus || !read(modulus.rest, INTEGER)) return null
  const first = modulus.content.findIndex((byte) => byte !== 0)
  if (first < 0) return null
  return (modulus.content.length - first) * 8 - Math.clz32(modulus.content[first] as number) + 24
}

interface Part {
  content: Uint8Array
  rest: Uint8Array
}

/** The element at the front, if it is of this kind and whole. */
function read(der: Uint8Array, tag: number): Part | null {
  const [kind, length] = der
  if (kind !== tag || length === undefined) return null
  let [size, start] = [length, 2]
  if (length > 0x7f) {
    const count = length & 0x7f
    if (count < 1 || count > 3) return null
    start += count
    size = der.subarray(2, start).reduce((sum, byte) => sum * 256 + byte, 0)
  }
  if (der.length < start + size) return null
  return { content: der.subarray(start, start + size), rest: der.subarray(start + size) }
}

const hex = (bytes: Uint8Array) => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
