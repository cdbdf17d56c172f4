// Values out of JSON from elsewhere, each as what it should be or as nothing.

/** An object's fields; none where it is no object. */
export const objectOf = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}

/** A list's entries, at most so many; none where it is no list. */
export const listOf = (value: unknown, limit: number): unknown[] => (Array.isArray(value) ? value.slice(0, limit) : [])

export const textOf = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null)

/** One of our ids, written in digits; 0 where it is none. */
export function idOf(value: unknown): number {
  if (typeof value !== 'string' || !/^[1-9][0-9]{0,15}$/.test(value)) return 0
  const id = Number(value)
  return Number.isSafeInteger(id) ? id : 0
}

/** A mail address in small letters, without the name before it. */
export function addressOf(value: unknown): string | null {
  const text = textOf(value)
  if (text === null || text.length > 1_000) return null
  const address = (/<([^<>]*)>\s*$/.exec(text)?.[1] ?? text).trim().toLowerCase().toWellFormed()
  return address.length <= 320 && /^[^\s\p{Cc}@]+@[^\s\p{Cc}@]+$/u.test(address) ? address : null
}
