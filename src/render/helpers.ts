import type { Environment } from './handlebars/environment.ts'
import type { Helper, HelperOptions } from './handlebars/frame.ts'

// What mail needs beyond Handlebars' own if, unless, each, with and lookup.

/** `{{default first_name "friend"}}`: the first that is not missing or empty. 0 and false are values. */
const orDefault: Helper = (...args) => args.slice(0, -1).find((value) => value != null && value !== '') ?? ''

const upper: Helper = (value) => textOf(value).toUpperCase()

const lower: Helper = (value) => textOf(value).toLowerCase()

/** The first letter, a code point of any plane, in upper case; the rest as it is. */
const capitalize: Helper = (value) => textOf(value).replace(/^\s*./su, (first) => first.toUpperCase())

/** `{{#if (eq plan "pro")}}` or `{{#eq plan "pro"}}…{{else}}…{{/eq}}`. Numbers equal their own spelling: "3" is 3. */
const eq: Helper = function (this: unknown, ...args) {
  const options = args.at(-1) as HelperOptions
  const [left, right] = args
  const equal = args.length === 3 && (left === right || (isScalar(left) && isScalar(right) && `${left}` === `${right}`))
  if (!options.fn) return equal
  return equal ? options.fn(this) : options.inverse?.(this)
}

const HELPERS: Readonly<Record<string, Helper>> = { default: orDefault, upper, lower, capitalize, eq }

/** Registers them. */
export function registerHelpers(environment: Environment): void {
  for (const [name, helper] of Object.entries(HELPERS)) environment.registerHelper(name, helper)
}

function isScalar(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number'
}

/** A helper called without an argument gets its options object first: that is no text. */
function textOf(value: unknown): string {
  return isScalar(value) || typeof value === 'boolean' ? String(value) : ''
}
