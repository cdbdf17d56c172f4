import type { HelperOptions } from '../handlebars/frame.ts'
import { localeLiteral, localeOf } from './person.ts'
import { isWhole, type MailHelper, namedArgument, text, wholeNumber } from './signature.ts'

/** The first that is not missing or empty. 0 and false are values. */
const orDefault: MailHelper = {
  least: 2,
  most: 10,
  form: 'value',
  named: {},
  call: (...args) => args.slice(0, -1).find((value) => value != null && value !== '') ?? '',
}

/** By the recipient's language: a Turkish i becomes İ. */
const upper: MailHelper = {
  least: 1,
  most: 1,
  form: 'value',
  named: { locale: localeLiteral },
  call: (value, options) => textOf(value).toLocaleUpperCase(localeOf(options as HelperOptions)),
}

const lower: MailHelper = {
  ...upper,
  call: (value, options) => textOf(value).toLocaleLowerCase(localeOf(options as HelperOptions)),
}

/** The first letter, a code point of any plane, in upper case; the rest as it is. */
const capitalize: MailHelper = {
  ...upper,
  call(value, options) {
    const locale = localeOf(options as HelperOptions)
    return textOf(value).replace(/^\s*./su, (first) => first.toLocaleUpperCase(locale))
  },
}

/** Longest text that may be asked for, in characters. */
const LONGEST = 10_000

/**
 * At most so many characters, the ending among them. A character is what a reader takes for one: an emoji of seven code
 * points is never cut in two. Cuts after a word when one ends in the second half.
 */
const truncate: MailHelper = {
  least: 2,
  most: 2,
  form: 'value',
  literals: [null, wholeNumber(1, LONGEST)],
  named: { end: text },
  call(value, length, options) {
    const whole = textOf(value)
    const most = Number(length)
    if (!isWhole(most, 1, LONGEST)) {
      throw new Error(`truncate: the length is not a whole number from 1 to ${LONGEST}`)
    }
    if (whole.length <= most) return whole
    const start = characters(whole, most + 1)
    if (start.length <= most) return whole
    const given = namedArgument(options, 'end')
    const end = characters(given === undefined ? '…' : textOf(given), most)
    const kept = start.slice(0, most - end.length)
    let cut = kept.length
    if (!isSpace(start[cut])) {
      for (let at = cut - 1; at >= kept.length / 2; at--) {
        if (isSpace(kept[at])) {
          cut = at
          break
        }
      }
    }
    return kept.slice(0, cut).join('').trimEnd() + end.join('')
  },
}

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' })

/** The first `most` characters of a text. */
function characters(whole: string, most: number): string[] {
  const found: string[] = []
  for (const { segment } of segmenter.segment(whole)) {
    if (found.length === most) break
    found.push(segment)
  }
  return found
}

function isSpace(character: string | undefined): boolean {
  return character !== undefined && /^\s+$/.test(character)
}

/** For a part of an address: everything but letters, digits, `-`, `_`, `.` and `~` is percent-encoded. */
const urlencode: MailHelper = {
  least: 1,
  most: 1,
  form: 'value',
  named: {},
  call: (value) =>
    encodeURIComponent(textOf(value).toWellFormed()).replace(
      /[!'()*]/g,
      (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
    ),
}

/** As JSON; a missing value prints nothing. */
const json: MailHelper = {
  least: 1,
  most: 1,
  form: 'value',
  named: {},
  call: (value) => JSON.stringify(value) ?? '',
}

/** `{{{{raw}}}} … {{{{/raw}}}}`: what is between is not read as Handlebars. */
const raw: MailHelper = {
  least: 0,
  most: 0,
  form: 'block',
  named: {},
  call(options) {
    return (options as HelperOptions).fn?.(this)
  },
}

export const TEXT = { raw, default: orDefault, upper, lower, capitalize, truncate, urlencode, json }

/** What is neither text nor a number has no spelling of its own. */
function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : ''
}
