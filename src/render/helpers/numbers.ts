import type { HelperOptions } from '../handlebars/frame.ts'
import { numberOf } from './logic.ts'
import { localeLiteral, localeOf } from './person.ts'
import { isWhole, type Literal, type MailHelper, namedArgument, wholeNumber } from './signature.ts'

// In the recipient's language. A missing value prints nothing; one that is there and no number fails this recipient's
// mail: nobody reads "NaN", or a price without its amount.

const decimals = wholeNumber(0, 20)
const CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'))

function numeric(name: string): (value: Literal) => string | null {
  return (value) => (numberOf(value) === null ? `${name} a number such as 1234.5, not ${JSON.stringify(value)}` : null)
}

const number: MailHelper = {
  least: 1,
  most: 1,
  form: 'value',
  literals: [numeric('must be')],
  named: { decimals, locale: localeLiteral },
  call(value, options) {
    return print('number', value, options as HelperOptions, {})
  },
}

const currency: MailHelper = {
  least: 2,
  most: 2,
  form: 'value',
  literals: [numeric('must be'), currencyLiteral],
  named: { decimals, locale: localeLiteral },
  call(value, code, options) {
    if (value == null || value === '') return ''
    if (!isCurrency(code)) throw new Error('currency: the code is not one of ISO 4217, such as "EUR"')
    return print('currency', value, options as HelperOptions, { style: 'currency', currency: code.toUpperCase() })
  },
}

export const NUMBERS = { number, currency }

function currencyLiteral(code: Literal): string | null {
  return isCurrency(code) ? null : `must be a code of ISO 4217 such as "EUR", not ${JSON.stringify(code)}`
}

function isCurrency(code: unknown): code is string {
  return typeof code === 'string' && CURRENCIES.has(code.toUpperCase())
}

function print(name: string, value: unknown, options: HelperOptions, style: Intl.NumberFormatOptions): string {
  if (value == null || value === '') return ''
  const number = numberOf(value)
  if (number === null) throw new Error(`${name}: the value is not a number such as 1234.5`)
  const digits = namedArgument(options, 'decimals')
  if (digits === undefined) return formatter(options, localeOf(options), style).format(number)
  if (!isWhole(digits, 0, 20)) throw new Error(`${name}: decimals is not a whole number from 0 to 20`)
  const fixed = { ...style, minimumFractionDigits: digits, maximumFractionDigits: digits }
  return formatter(options, localeOf(options), fixed).format(number)
}

const formatters = new Map<string, Intl.NumberFormat>()
const KEPT = 200
/** Making one costs as much as so many steps of a render. */
const STEPS = 1000

function formatter({ spend }: HelperOptions, locale: string, style: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = `${locale} ${style.currency} ${style.minimumFractionDigits}`
  const known = formatters.get(key)
  if (known) return known
  spend(STEPS)
  const made = new Intl.NumberFormat(locale, style)
  if (formatters.size >= KEPT) formatters.clear()
  formatters.set(key, made)
  return made
}
