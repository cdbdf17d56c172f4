import * as z from 'zod'
import type { FieldError } from '../http/problem.ts'
import { fieldErrors } from '../http/validation.ts'
import { canonicalLocale } from '../subscribers/place.ts'
import { email, line } from '../subscribers/schema.ts'

/** Lists that one form may offer. */
export const MOST_LISTS = 20

/** One line; empty is the same as null. */
const shortText = line(200)
  .refine((text) => text.isWellFormed(), 'must not contain half of a surrogate pair')
  .transform((text) => text || null)
  .nullable()
  .default(null)

const signupFields = z.strictObject({
  email,
  first_name: shortText,
  last_name: shortText,
  list_ids: z
    .array(z.int().positive())
    .min(1, 'must name at least one list')
    .max(MOST_LISTS)
    .transform((ids) => [...new Set(ids)]),
  /** Of the page that they read. */
  locale: z
    .string()
    .transform((text) => canonicalLocale(text))
    .nullable()
    .default(null),
  /** The page that the form stands on. */
  source: shortText,
})

/** A sign-up as somebody asked for it, checked and normalised. */
export type SignupFields = z.infer<typeof signupFields>

/** @returns what is asked for, or what is wrong with it, field by field */
export function checkSignup(given: unknown): { fields: SignupFields } | { errors: FieldError[] } {
  const result = signupFields.safeParse(given)
  return result.success ? { fields: result.data } : { errors: fieldErrors(result.error, 'body') }
}
