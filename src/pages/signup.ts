// What somebody sees who signs up and confirms. Nothing on these pages says whether an address is known.
import { escapeHtml } from './layout.ts'
import { maskEmail } from './mask.ts'
import { challenge, paragraph, type SignupForm, signupForm } from './signup-form.ts'
import { fill, type SignupWords, type Words } from './words/words.ts'

export interface PageText {
  /** Plain text. */
  title: string
  /** HTML. */
  body: string
}

type Named = readonly { name: string }[]

const text = (content: string, attributes = '') => `<p${attributes}>${escapeHtml(content)}</p>`

const listOf = (lists: Named) => `<ul>\n${lists.map(({ name }) => `<li>${escapeHtml(name)}</li>`).join('\n')}\n</ul>`

/** The form itself; shown again, it says what is to be put right. */
export function formPage(form: SignupForm, words: Words): PageText {
  const [only] = form.lists
  const single = only && form.lists.length === 1
  const title = single ? fill(words.signup.form_title_list, { list: only.name }) : words.signup.form_title
  const intro = single && only.description !== null ? `${text(only.description)}\n` : ''
  return { title, body: intro + signupForm(form, words) }
}

/**
 * After a sign-up: what it says depends on the lists only.
 *
 * @param resend - the same sign-up once more
 */
export function inboxPage(email: string, resend: ResendForm, words: SignupWords): PageText {
  return {
    title: words.inbox_title,
    body: `${text(fill(words.inbox_text, { email }), ' role="status"')}
${text(words.inbox_missing, ' class="soft"')}
<form action="${escapeHtml(resend.action)}" method="post">
${resend.fields.map(([name, value]) => `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`).join('\n')}
${resend.site_key === null ? '' : `${challenge(resend.site_key)}\n`}<button class="quiet" type="submit">${escapeHtml(words.resend)}</button>
</form>`,
  }
}

export interface ResendForm {
  action: string
  fields: readonly (readonly [name: string, value: string])[]
  /** Turnstile's; null where nobody is challenged. */
  site_key: string | null
}

/** @param list - the names of the lists */
export const thanksPage = (list: string, words: SignupWords): PageText => ({
  title: words.thanks_title,
  body: `${text(fill(words.thanks_text, { list }), ' role="status"')}
${text(words.thanks_maybe, ' class="soft"')}`,
})

/** The question. The form posts to the page's own address; without a press of the button nothing happens. */
export const confirmPage = (
  signup: { email: string; lists: Named; wording: string },
  words: SignupWords,
): PageText => ({
  title: words.confirm_title,
  body: `${text(fill(words.confirm_text, { email: maskEmail(signup.email) }))}
${listOf(signup.lists)}
${text(words.confirm_agree)}
<p class="soft">${paragraph(signup.wording)}</p>
<form method="post">
<button type="submit">${escapeHtml(words.confirm_button)}</button>
${text(words.confirm_not_you, ' class="soft"')}
</form>`,
})

export const confirmedPage = (lists: Named, words: SignupWords): PageText => ({
  title: words.confirmed_title,
  body: `${text(words.confirmed_text, ' role="status"')}\n${listOf(lists)}\n${text(words.confirmed_leave, ' class="soft"')}`,
})

export const confirmedBeforePage = (words: SignupWords): PageText => ({
  title: words.before_title,
  body: `${text(words.before_text, ' role="status"')}\n${text(words.before_left, ' class="soft"')}`,
})

/** @param days - how long it was valid */
export const expiredPage = (days: number, words: SignupWords): PageText => ({
  title: words.expired_title,
  body: text(fill(words.expired_text, { days })),
})

export const brokenConfirmPage = (words: SignupWords): PageText => ({
  title: words.broken_title,
  body: text(words.broken_text),
})

export const listsDeletedPage = (words: SignupWords): PageText => ({
  title: words.deleted_title,
  body: text(words.deleted_text),
})

/** For a list that is private just as for one that is not there. */
export const missingFormPage = (words: SignupWords): PageText => ({
  title: words.missing_title,
  body: text(words.missing_text),
})

/** @param seconds - until the next try */
export const limitPage = (seconds: number, words: SignupWords): PageText => ({
  title: words.limit_title,
  body: text(fill(words.limit_text, { minutes: Math.ceil(seconds / 60) }), ' role="alert"'),
})

export const signupFailedPage = (words: SignupWords): PageText => ({
  title: words.failed_title,
  body: text(words.failed_text, ' role="alert"'),
})

export const unreadablePage = (words: SignupWords): PageText => ({
  title: words.unreadable_title,
  body: text(words.unreadable_text, ' role="alert"'),
})

export const noListPage = (words: SignupWords): PageText => ({
  title: words.unreadable_title,
  body: text(words.lists_wrong, ' role="alert"'),
})
