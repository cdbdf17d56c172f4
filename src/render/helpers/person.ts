import type { HelperOptions } from '../handlebars/frame.ts'
import { type Literal, namedArgument, ownValue } from './signature.ts'

// The recipient's language and time zone, as helpers see them: from the named argument, else from the data's root. Both
// come from sign-up forms and imported files, so one that means nothing is passed over, not an error.

const LOCALE = 'en'
const TIMEZONE = 'UTC'
/** Spellings remembered per isolate. */
const KEPT = 500

/** @returns a BCP 47 tag that Intl knows; the neutral `en` when the recipient has none */
export function localeOf(options: HelperOptions): string {
  return usableLocale(namedArgument(options, 'locale')) ?? usableLocale(ofRecipient(options, 'locale')) ?? LOCALE
}

/** @returns an IANA name that Intl knows; UTC when the recipient has none */
export function timezoneOf(options: HelperOptions): string {
  return (
    usableTimezone(namedArgument(options, 'timezone')) ?? usableTimezone(ofRecipient(options, 'timezone')) ?? TIMEZONE
  )
}

export function localeLiteral(value: Literal): string | null {
  return usableLocale(value) ? null : `must be a language such as "en-GB", not ${JSON.stringify(value)}`
}

export function timezoneLiteral(value: Literal): string | null {
  return usableTimezone(value) ? null : `must be a time zone such as "Europe/Berlin", not ${JSON.stringify(value)}`
}

/** A tag that is well formed but unknown would get the language of the computer that renders. */
const usableLocale = remembering((name) => {
  const tag = name.replaceAll('_', '-')
  return Intl.DateTimeFormat.supportedLocalesOf(tag)[0] ?? null
})

const usableTimezone = remembering(
  (name) => new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone,
)

/** @param find - throws a RangeError for what it does not know */
function remembering(find: (name: string) => string | null): (name: unknown) => string | null {
  const known = new Map<string, string | null>()
  return (name) => {
    if (typeof name !== 'string' || name === '' || name.length > 100) return null
    const remembered = known.get(name)
    if (remembered !== undefined) return remembered
    let found: string | null = null
    try {
      found = find(name)
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
    }
    if (known.size >= KEPT) known.clear()
    known.set(name, found)
    return found
  }
}

function ofRecipient(options: HelperOptions, name: string): unknown {
  return ownValue(ownValue(options.data, 'root'), name)
}
