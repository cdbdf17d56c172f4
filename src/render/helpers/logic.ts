import type { HelperOptions } from '../handlebars/frame.ts'
import type { MailHelper } from './signature.ts'

// `{{#if (eq plan "pro")}}…{{/if}}` or `{{#eq plan "pro"}}…{{else}}…{{/eq}}`.

/** As a block the helper decides between its bodies, else it yields what it found. */
function condition(least: number, most: number, test: (values: unknown[]) => unknown): MailHelper {
  return {
    least,
    most,
    form: 'either',
    named: {},
    call(...args) {
      const options = args.pop() as HelperOptions
      const found = test(args)
      if (!options.fn) return found
      return isTrue(found) ? options.fn(this) : options.inverse?.(this)
    },
  }
}

function comparison(holds: (order: number) => boolean): MailHelper {
  return condition(2, 2, ([left, right]) => {
    const order = compare(left, right)
    return order !== null && holds(order)
  })
}

export const LOGIC = {
  eq: condition(2, 2, ([left, right]) => equal(left, right)),
  ne: condition(2, 2, ([left, right]) => !equal(left, right)),
  gt: comparison((order) => order > 0),
  gte: comparison((order) => order >= 0),
  lt: comparison((order) => order < 0),
  lte: comparison((order) => order <= 0),
  /** The last value when all are true, else the first that is not. */
  and: condition(2, 10, (values) => values.find((value) => !isTrue(value)) ?? lastOf(values)),
  /** The first value that is true, else the last. */
  or: condition(2, 10, (values) => values.find(isTrue) ?? values.at(-1)),
  not: condition(1, 1, ([value]) => !isTrue(value)),
}

/** `find` also yields undefined for a value that is undefined: that one is not true, and the answer. */
function lastOf(values: unknown[]): unknown {
  return values.every(isTrue) ? values.at(-1) : undefined
}

/** As `{{#if}}` sees it: nothing, empty text, 0, false and an empty list are not true. */
function isTrue(value: unknown): boolean {
  return Boolean(value) && !(Array.isArray(value) && value.length === 0)
}

/** Numbers equal their own spelling: imported files have "3" where JSON has 3. */
function equal(left: unknown, right: unknown): boolean {
  return left === right || (isScalar(left) && isScalar(right) && `${left}` === `${right}`)
}

/** By number when both are or spell one, else by letters, so that dates written 2026-06-01 compare; null: neither. */
function compare(left: unknown, right: unknown): number | null {
  if (!isScalar(left) || !isScalar(right)) return null
  const [a, b] = [numberOf(left), numberOf(right)]
  if (a !== null && b !== null) return a - b
  if (typeof left !== 'string' || typeof right !== 'string' || left === '' || right === '') return null
  if (left === right) return 0
  return left < right ? -1 : 1
}

function isScalar(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number'
}

/** A number, or text that is a decimal number and nothing else. */
export function numberOf(value: unknown): number | null {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  // A longer text is no number, and would take the expression long to refuse.
  if (
    typeof value !== 'string' ||
    value.length > 40 ||
    !/^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d{1,3})?\s*$/i.test(value)
  )
    return null
  const number = Number(value)
  return Number.isFinite(number) ? number : null
}
