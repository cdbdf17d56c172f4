// How reports write numbers, times and codes.
import { escapeHtml } from './layout.ts'

const NUMBER = new Intl.NumberFormat('en')

export const number = (value: number) => NUMBER.format(value)

/** `1 mail`, `2 mails`. */
export const counted = (value: number, one: string, more = `${one}s`) => `${number(value)} ${value === 1 ? one : more}`

/** @param share - from 0 to 1; null where it is not known */
export function percent(share: number | null): string {
  if (share === null) return '–'
  const value = share * 100
  return `${value.toFixed(value === 0 || value >= 99.95 ? 0 : value < 1 ? 2 : 1)}\u00a0%`
}

const TIME = new Intl.DateTimeFormat('en-GB', {
  ...{ day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit' },
  ...{ hour12: false, timeZone: 'UTC' },
})
const DAY = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' })

/** @param at - ISO 8601 */
export const moment = (at: string) => `<time datetime="${escapeHtml(at)}">${TIME.format(new Date(at))} UTC</time>`

/** A bar's beginning. */
export const hour = (at: string) => `${DAY.format(new Date(at)).replace(/ \d{4}$/, '')}, ${at.slice(11, 16)}`
export const day = (at: string) => DAY.format(new Date(at))

/** `20 seconds`, `3 minutes`, `2 hours`. */
export function duration(seconds: number): string {
  if (seconds < 120) return counted(seconds, 'second')
  return seconds < 7200 ? counted(Math.round(seconds / 60), 'minute') : counted(Math.round(seconds / 3600), 'hour')
}

const WORDS: Record<string, string> = {
  no_such_address: 'No such address',
  refused: 'Refused by the recipient’s server',
  blocked: 'Refused for who sends or what is sent',
  gave_up: 'Tried again until it was too late',
  not_rendered: 'Could not be filled in with the recipient’s data',
  not_sendable: 'Could not be sent as it is',
  unsubscribed: 'Had unsubscribed',
  unsubscribe_pending: 'Is just unsubscribing',
  bounced: 'Had bounced before',
  complained: 'Had called a mail spam before',
  paused: 'Asked for a pause',
  suppressed: 'Is on the suppression list',
  deleted: 'Was deleted',
  not_in_allowlist: 'Is not in this installation’s allowlist',
  no_answer: 'The service did not say whether it took the mail',
  try_again: 'Put off by the recipient’s server',
  ios: 'iOS',
  yahoo: 'Yahoo Mail',
  em_client: 'eM Client',
  duckduckgo: 'DuckDuckGo',
  internet_explorer: 'Internet Explorer',
}

/** A code for people, escaped: `apple_mail` is Apple Mail, `no_answer` a sentence. */
export function words(code: string): string {
  const known = WORDS[code]
  return escapeHtml(known ?? code.replaceAll('_', ' ').replace(/(?<![a-z])[a-z]/g, (letter) => letter.toUpperCase()))
}

const COUNTRIES = new Intl.DisplayNames('en', { type: 'region', fallback: 'code' })

/** The name of a country (ISO 3166-1), escaped. */
export function country(code: string): string {
  try {
    return escapeHtml(COUNTRIES.of(code) ?? code)
  } catch {
    return escapeHtml(code)
  }
}

/** A share as a bar of the width of its place; the number stands beside it. */
export const bar = (share: number) =>
  `<svg class="bar" width="100%" height="6" aria-hidden="true"><rect width="${(Math.min(Math.max(share, 0), 1) * 100).toFixed(1)}%" height="6" rx="3"/></svg>`
