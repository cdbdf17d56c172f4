// The form that people sign up by: as a page of ours, and as HTML for any other. It needs no script and no style.
import { escapeHtml } from './layout.ts'
import type { SignupWords, Words } from './words/words.ts'

export interface SignupForm {
  /** Where it is posted to. */
  action: string
  /** It stands on a page of somebody else's. */
  embedded: boolean
  lists: readonly { id: number; name: string; description: string | null; consent_wording: string }[]
  /** Names to ask for beside the address. */
  fields: readonly NameField[]
  /** What goes along unseen. */
  hidden: Readonly<Record<string, string>>
  /** Turnstile's site key; null where nobody is challenged. */
  site_key: string | null
  /** What was filled in before, of a form that is shown again: `lists` are those that were chosen. */
  filled?: Filled
}

export const NAME_FIELDS = ['first_name', 'last_name'] as const
export type NameField = (typeof NAME_FIELDS)[number]

export interface Filled {
  values: Readonly<Record<string, string>>
  /** Names of fields that cannot be used as they are. */
  wrong: ReadonlySet<string>
}

/** Where Turnstile's script comes from, and the field with which a solved challenge arrives. */
export const CHALLENGES = 'https://challenges.cloudflare.com'
export const TURNSTILE_FIELD = 'cf-turnstile-response'
/** A field that people do not see, and programs fill in. */
export const HONEYPOT = 'website'

/** Characters. */
const LONGEST = { email: 254, first_name: 200, last_name: 200 }

/** A page of ours has styles for its classes; on any other page each name of ours begins alike, and means nothing there. */
const className = ({ embedded }: SignupForm, name: 'choice' | 'notice' | 'soft') => (embedded ? `emk-${name}` : name)

/** A page may hold forms of several lists. */
const idOf = ({ lists }: SignupForm, name: string) => `emk-${lists[0]?.id ?? 0}-${name}`

export function signupForm(form: SignupForm, { language, signup: words }: Words): string {
  const { action, fields, hidden, site_key, filled } = form
  const honeypot = idOf(form, HONEYPOT)
  return [
    `<form class="emk-form" action="${escapeHtml(action)}" method="post" lang="${escapeHtml(language)}">`,
    ...Object.entries(hidden).map(
      ([name, value]) => `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`,
    ),
    input(form, 'email', words.email, words.email_wrong, 'type="email" autocomplete="email" required'),
    ...fields.map((field) => {
      const label = `${words[field]} (${words.optional})`
      return input(form, field, label, words.text_wrong, `type="text" autocomplete="${AUTOFILL[field]}"`)
    }),
    listsOf(form, words),
    `<div hidden aria-hidden="true"><label for="${honeypot}">${escapeHtml(words.leave_empty)}</label> <input id="${honeypot}" type="text" name="${HONEYPOT}" tabindex="-1" autocomplete="off"></div>`,
    consentOf(form),
    site_key === null ? '' : challenge(site_key),
    filled?.wrong.has('challenge') ? wrongText(form, 'challenge', words.challenge_wrong) : '',
    `<button type="submit" aria-describedby="${idOf(form, 'consent')}">${escapeHtml(words.submit)}</button>`,
    '</form>',
  ]
    .filter((line) => line !== '')
    .join('\n')
}

/** A box that a person ticks, or that ticks itself; it takes a script of Cloudflare's. */
export const challenge = (site_key: string) =>
  `<div class="cf-turnstile" data-sitekey="${escapeHtml(site_key)}"></div><script src="${CHALLENGES}/turnstile/v0/api.js" async defer></script>`

const AUTOFILL: Record<NameField, string> = { first_name: 'given-name', last_name: 'family-name' }

/** @param correction - what to say when its value cannot be used */
function input(form: SignupForm, name: 'email' | NameField, label: string, correction: string, attributes: string) {
  const id = idOf(form, name)
  const value = form.filled?.values[name]
  const wrong = form.filled?.wrong.has(name) ?? false
  const filled = value === undefined ? '' : ` value="${escapeHtml(value)}"`
  const invalid = wrong ? ` aria-invalid="true" aria-describedby="${id}-wrong"` : ''
  return `<p><label for="${id}">${escapeHtml(label)}</label>
<input id="${id}" name="${name}" ${attributes} maxlength="${LONGEST[name]}"${filled}${invalid}></p>${
    wrong ? `\n${wrongText(form, name, correction)}` : ''
  }`
}

const wrongText = (form: SignupForm, name: string, text: string) =>
  `<p class="${className(form, 'notice')}" role="alert" id="${idOf(form, name)}-wrong">${escapeHtml(text)}</p>`

/** One list is no choice; of several, each is: nobody agrees by a tick that was there before. */
function listsOf(form: SignupForm, words: SignupWords): string {
  const { lists, filled } = form
  const [only] = lists
  if (only && lists.length === 1) return `<input type="hidden" name="list" value="${only.id}">`
  const choices = lists.map(({ id, name, description }) => {
    const about =
      description === null ? '' : ` <span class="${className(form, 'soft')}">${escapeHtml(description)}</span>`
    return `<label class="${className(form, 'choice')}"><input type="checkbox" name="list" value="${id}"${
      filled ? ' checked' : ''
    }> <strong>${escapeHtml(name)}</strong>${about}</label>`
  })
  return `<fieldset>\n<legend>${escapeHtml(words.lists)}</legend>\n${choices.join('\n')}\n</fieldset>`
}

/** Each wording once, however many lists have it. */
function consentOf(form: SignupForm): string {
  const wordings = [...new Set(form.lists.map(({ consent_wording }) => consent_wording))]
  const text = wordings.map((wording) => paragraph(wording)).join('<br>\n')
  return `<p class="${className(form, 'soft')}" id="${idOf(form, 'consent')}">${text}</p>`
}

/** Plain text with its lines. */
export const paragraph = (text: string) => escapeHtml(text).replaceAll('\n', '<br>\n')
