import { detached } from './detached.ts'

/** Answers of `Intl`, which takes tens of microseconds to give one: a bulk call asks for the same few zones a thousand times. */
const known = new Map<string, boolean>()
const KNOWN_LIMIT = 2_000

/** Whether a text names a time zone of the IANA database; fixed offsets such as `+01:00` are none. */
export function isTimezone(text: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9_+\-/]{0,63}$/.test(text)) return false
  let valid = known.get(text)
  if (valid === undefined) {
    valid = accepts(text)
    if (known.size >= KNOWN_LIMIT) known.clear()
    known.set(detached(text), valid)
  }
  return valid
}

function accepts(timeZone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone })
    return true
  } catch {
    return false
  }
}

/** The canonical form of a BCP 47 language tag (`pt-br` is `pt-BR`), or null if it is none. */
export function canonicalLocale(text: string): string | null {
  if (text.length > 64) return null
  try {
    return Intl.getCanonicalLocales(text)[0] ?? null
  } catch {
    return null
  }
}
