import type { Problem } from '../http/problem.ts'
import type { Services } from '../http/services.ts'
import type { ResendForm } from '../pages/signup.ts'
import { NAME_FIELDS, type NameField, type SignupForm } from '../pages/signup-form.ts'
import type { PublicList } from './receive.ts'
import type { SignupFields } from './schema.ts'

type Keys = Pick<Services, 'turnstile'>

/** Where forms are posted to, on the host that shows them. */
const ACTION = '/subscribe'

/**
 * A form for lists.
 *
 * @param at - `embedded_by`: the PUBLIC_URL that a page of somebody else's posts it to, null on a page of ours; `source`: the
 *   page it stands on, null when its address tells; `locale`: of that page, null when the browser's is to count
 */
export function formOf(
  { turnstile }: Keys,
  lists: readonly PublicList[],
  fields: readonly NameField[],
  { embedded_by, source, locale }: { embedded_by: string | null; source: string | null; locale: string | null },
): SignupForm {
  return {
    action: `${embedded_by ?? ''}${ACTION}`,
    embedded: embedded_by !== null,
    lists,
    fields,
    hidden: present({ source, locale }),
    site_key: turnstile?.site_key ?? null,
  }
}

/** The form as it was filled in, with what is wrong. */
export function formAgain(
  keys: Keys,
  lists: readonly PublicList[],
  given: Readonly<Record<string, unknown>>,
  problem: Problem,
): SignupForm {
  const values = Object.fromEntries(
    ['email', ...NAME_FIELDS].flatMap((name) => (typeof given[name] === 'string' ? [[name, given[name]]] : [])),
  )
  const wrong = new Set(problem.errors.map(({ field }) => field.split('.', 1)[0] ?? ''))
  if (problem.code === 'challenge_failed') wrong.add('challenge')
  const fields = NAME_FIELDS.filter((name) => name in values || wrong.has(name))
  const unseen = (name: string) => (typeof given[name] === 'string' && !wrong.has(name) ? given[name] : null)
  const form = formOf(keys, lists, fields, {
    embedded_by: null,
    source: unseen('source'),
    locale: unseen('locale'),
  })
  return { ...form, filled: { values, wrong } }
}

/** The same sign-up once more, by a button. */
export function resendOf({ turnstile }: Keys, { list_ids, ...fields }: SignupFields): ResendForm {
  return {
    action: ACTION,
    fields: [...Object.entries(present(fields)), ...list_ids.map((id) => ['list', String(id)] as const)],
    site_key: turnstile?.site_key ?? null,
  }
}

/** The names to ask for, of a text such as `first_name,last_name`. */
export const nameFields = (text: string | undefined): NameField[] =>
  NAME_FIELDS.filter((name) => (text ?? '').split(',').includes(name))

const present = (values: Record<string, string | null>): Record<string, string> =>
  Object.fromEntries(Object.entries(values).flatMap(([name, value]) => (value === null ? [] : [[name, value]])))
