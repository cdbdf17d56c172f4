import type { Environment } from './handlebars/environment.ts'
import { DATES } from './helpers/dates.ts'
import { LOGIC } from './helpers/logic.ts'
import { NUMBERS } from './helpers/numbers.ts'
import { BUILT_IN, type MailHelper, type Signature } from './helpers/signature.ts'
import { TEXT } from './helpers/text.ts'

/** What mail needs beyond Handlebars' own if, unless, each, with and lookup. */
const HELPERS: Readonly<Record<string, MailHelper>> = { ...TEXT, ...DATES, ...NUMBERS, ...LOGIC }

/** All that a template may call by name, and how. */
export const SIGNATURES: ReadonlyMap<string, Signature> = new Map(Object.entries({ ...BUILT_IN, ...HELPERS }))

/** Registers them. */
export function registerHelpers(environment: Environment): void {
  for (const [name, { call }] of Object.entries(HELPERS)) environment.registerHelper(name, call)
}
