// Which IP addresses lie on the public internet (IANA's special-purpose registries, RFC 6890).

/** First address and prefix length of what is not public. */
const CLOSED_V4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.31.196.0', 24],
  ['192.52.193.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['192.175.48.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
]

/** Of 2000::/3, which is all that is public, those that are not, or that carry an IPv4 address of anybody's choice. */
const CLOSED_V6: readonly (readonly [string, number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['2620:4f:8000::', 48],
  ['3fff::', 20],
]

/** @param address - as resolvers write it; anything that is not an address is not public */
export function isPublicAddress(address: string): boolean {
  if (!address.includes(':')) {
    const bits = bitsV4(address)
    return bits !== null && !CLOSED_V4.some(([from, length]) => sharesPrefix(bits, bitsV4(from), length))
  }
  const bits = bitsV6(address)
  if (bits === null || !bits.startsWith('001')) return false
  return !CLOSED_V6.some(([from, length]) => sharesPrefix(bits, bitsV6(from), length))
}

const sharesPrefix = (bits: string, other: string | null, length: number) =>
  bits.slice(0, length) === other?.slice(0, length)

function bitsV4(address: string): string | null {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(address)?.slice(1).map(Number)
  if (!parts || parts.some((part) => part > 255)) return null
  return parts.map((part) => part.toString(2).padStart(8, '0')).join('')
}

function bitsV6(address: string): string | null {
  const [head = '', tail, ...more] = address.split('::')
  if (more.length > 0) return null
  const before = groups(head)
  const after = tail === undefined ? [] : groups(tail)
  if (!before || !after) return null
  const missing = 8 - before.length - after.length
  if (tail === undefined ? missing !== 0 : missing < 1) return null
  return [...before, ...Array<number>(missing).fill(0), ...after]
    .map((group) => group.toString(2).padStart(16, '0'))
    .join('')
}

/** The 16-bit groups of one side of `::`; an IPv4 address may end it (RFC 4291 2.2). */
function groups(side: string): number[] | null {
  if (side === '') return []
  const parts = side.split(':')
  const last = parts.at(-1) ?? ''
  const v4 = last.includes('.') ? bitsV4(last) : undefined
  if (v4 === null) return null
  const hex = v4 ? parts.slice(0, -1) : parts
  if (!hex.every((part) => /^[0-9a-f]{1,4}$/i.test(part))) return null
  const tail = v4 ? [Number.parseInt(v4.slice(0, 16), 2), Number.parseInt(v4.slice(16), 2)] : []
  return [...hex.map((part) => Number.parseInt(part, 16)), ...tail]
}
