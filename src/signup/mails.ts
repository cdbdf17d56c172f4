import { fill, type Words } from '../pages/words/words.ts'
import type { SigningKeys } from '../tokens/keys.ts'
import { signTimed } from '../tokens/timed.ts'
import { confirmUrl } from '../tokens/urls.ts'
import type { Notice } from '../transactional/notice.ts'

/** Lists as a sentence names them. */
export const namesOf = (lists: readonly { name: string }[], language: string) =>
  new Intl.ListFormat(language).format(lists.map(({ name }) => name))

/**
 * Asks to confirm a sign-up. What came from the form is not in it: a stranger may have filled that in, and would be writing
 * to whoever they named.
 *
 * @param expires_at - ISO 8601
 */
export async function confirmationMail(
  { signing_keys, public_url }: { signing_keys: SigningKeys; public_url: string },
  signup: { id: number; lists: readonly { name: string }[]; expires_at: string },
  { language, signup: words }: Words,
): Promise<Notice> {
  const list = namesOf(signup.lists, language)
  const token = await signTimed(signing_keys, 'confirm', { id: signup.id, expires_at: new Date(signup.expires_at) })
  return {
    language,
    subject: fill(words.mail_subject, { list }),
    paragraphs: [fill(words.mail_text, { list })],
    button: { label: words.mail_button, url: confirmUrl(public_url, token) },
    small: words.mail_small,
  }
}

/** Tells somebody who signs up again that there is nothing left to do. */
export function alreadyMail(lists: readonly { name: string }[], { language, signup: words }: Words): Notice {
  const list = namesOf(lists, language)
  return {
    language,
    subject: fill(words.already_subject, { list }),
    paragraphs: [fill(words.already_text, { list })],
    button: null,
    small: words.already_small,
  }
}
