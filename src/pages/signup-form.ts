// The form that people sign up by: as a page of ours, and as HTML for any other. It needs no script and no style.
import { escapeHtml } from './layout.ts'
import type { SignupWords, Words } from './words/words.ts'

export interface SignupForm {
  /** Where it is posted to. */
  action: string
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

export function signupForm(form: SignupForm, { language, signup: words }: Words): string {
  const { action, fields, hidden, site_key, filled } = form
  const unseen = Object.entries(hidden).map(
    ([name, value]) => `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`,
  )
  const challenge_wrong = filled?.wrong.has('challenge') ? wrongText('challenge', words.challenge_wrong) : ''
  return [
    `<form class="emk-form" action="${escapeHtml(action)}" method="post" lang="${escapeHtml(language)}">`,
    ...unseen,
    input('email', words.email, words.email_wrong, 'type="email" autocomplete="email" required', filled),
    ...fields.map((field) =>
      input(
        field,
        `${words[field]} (${words.optional})`,
        words.text_wrong,
        `type="text" autocomplete="${AUTOFILL[field]}"`,
        filled,
      ),
    ),
    listsOf(form, words),
    `<div hidden aria-hidden="true"><label for="emk-${HONEYPOT}">${escapeHtml(words.leave_empty)}</label> <input id="emk-${HONEYPOT}" type="text" name="${HONEYPOT}" tabindex="-1" autocomplete="off"></div>`,
    consentOf(form),
    site_key === null ? '' : challenge(site_key),
    challenge_wrong,
    `<button type="submit" aria-describedby="emk-consent">${escapeHtml(words.submit)}</button>`,
    '</form>',
  ]
    .filter((line) => line !== '')
    .join('\n')
}

/** A box that a person ticks, or that ticks itself; it takes a script of Cloudflare's. */
export const challenge = (site_key: string) =>
  `<div class="cf-turnstile" data-sitekey="${escapeHtml(site_key)}"></div><script src="${CHALLENGES}/turnstile/v0/api.js" async defer></script>`

const AUTOFILL: Record<NameField, string> = { first_name: 'given-name', last_name: 'family-name' }

function input(
  name: 'email' | NameField,
  label: string,
  correction: string,
  attributes: string,
  filled: Filled | undefined,
): string {
  const value = filled?.values[name]
  const wrong = filled?.wrong.has(name) ?? false
  return `<p><label for="emk-${name}">${escapeHtml(label)}</label>
<input id="emk-${name}" name="${name}" ${attributes} maxlength="${LONGEST[name]}"${
    value === undefined ? '' : ` value="${escapeHtml(value)}"`
  }${wrong ? ` aria-invalid="true" aria-describedby="emk-${name}-wrong"` : ''}></p>${
    wrong ? `\n${wrongText(name, correction)}` : ''
  }`
}

const wrongText = (name: string, text: string) =>
  `<p class="notice" role="alert" id="emk-${name}-wrong">${escapeHtml(text)}</p>`

/** One list is no choice; of several, each is: nobody agrees by a tick that was there before. */
function listsOf({ lists, filled }: SignupForm, words: SignupWords): string {
  const [only] = lists
  if (only && lists.length === 1) return `<input type="hidden" name="list" value="${only.id}">`
  const choices = lists.map(({ id, name, description }) => {
    const soft = description === null ? '' : ` <span class="soft">${escapeHtml(description)}</span>`
    return `<label class="choice"><input type="checkbox" name="list" value="${id}"${filled ? ' checked' : ''}> <strong>${escapeHtml(name)}</strong>${soft}</label>`
  })
  return `<fieldset>\n<legend>${escapeHtml(words.lists)}</legend>\n${choices.join('\n')}\n</fieldset>`
}

/** Each wording once, however many lists have it. */
function consentOf({ lists }: SignupForm): string {
  const wordings = [...new Set(lists.map(({ consent_wording }) => consent_wording))]
  const text = wordings.map((wording) => paragraph(wording)).join('<br>\n')
  return `<p class="soft" id="emk-consent">${text}</p>`
}

/** Plain text with its lines. */
export const paragraph = (text: string) => escapeHtml(text).replaceAll('\n', '<br>\n')
