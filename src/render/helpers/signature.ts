import type { Helper, HelperOptions } from '../handlebars/frame.ts'

export type Literal = string | number | boolean | null | undefined

/** Says what is wrong with an argument that stands in the template itself, or null. */
export type LiteralCheck = (value: Literal) => string | null

/** How a helper may be called: what can be told when a template is saved. */
export interface Signature {
  /** Fewest and most arguments, named ones not counted. */
  least: number
  most: number
  /** `value` is printed or is an argument, `block` has a body; `either` may be both. */
  form: 'value' | 'block' | 'either'
  /** By position; what is missing here takes anything. */
  literals?: readonly (LiteralCheck | null)[]
  /** The named arguments there are. Left out: any. */
  named?: Readonly<Record<string, LiteralCheck>>
}

export interface MailHelper extends Signature {
  call: Helper
}

/** Those that Handlebars brings and this kit keeps. */
export const BUILT_IN: Readonly<Record<string, Signature>> = {
  if: { least: 1, most: 1, form: 'block' },
  unless: { least: 1, most: 1, form: 'block' },
  each: { least: 1, most: 1, form: 'block' },
  with: { least: 1, most: 1, form: 'block' },
  lookup: { least: 2, most: 2, form: 'value' },
}

export function wholeNumber(least: number, most: number): LiteralCheck {
  return (value) =>
    isWhole(value, least, most) ? null : `must be a whole number from ${least} to ${most}, not ${JSON.stringify(value)}`
}

export function isWhole(value: unknown, least: number, most: number): value is number {
  return Number.isInteger(value) && (value as number) >= least && (value as number) <= most
}

export function text(value: Literal): string | null {
  return typeof value === 'string' ? null : `must be text in quotes, not ${JSON.stringify(value)}`
}

export function oneOf(names: readonly string[]): LiteralCheck {
  return (value) =>
    names.includes(value as string) ? null : `must be one of ${names.join(', ')}, not ${JSON.stringify(value)}`
}

/** The value of a named argument, undefined when it was not given: what objects inherit is not an argument. */
export function namedArgument(options: unknown, name: string): unknown {
  return ownValue((options as HelperOptions).hash, name)
}

export function ownValue(object: unknown, name: string): unknown {
  if (object === null || typeof object !== 'object' || !Object.hasOwn(object, name)) return undefined
  return (object as Record<string, unknown>)[name]
}
