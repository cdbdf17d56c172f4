// What public pages and our own mails say, one file per language. Texts are plain, not HTML; `{name}` stands for a value
// that `fill` puts in.

import type { DataWords, PreferencesWords } from './preferences-words.ts'

/** Every text in one language. To add a language, copy `en.ts`, translate it and register it in `choose.ts`. */
export interface Words {
  /** BCP 47 tag, for `lang` attributes. */
  language: string
  frame: FrameWords
  signup: SignupWords
  preferences: PreferencesWords
  data: DataWords
}

/** Below each page. */
export interface FrameWords {
  home: string
  privacy: string
}

export interface SignupWords {
  form_title: string
  /** {list} */
  form_title_list: string
  email: string
  first_name: string
  last_name: string
  optional: string
  lists: string
  submit: string
  /** Beside the field that only programs fill in. */
  leave_empty: string
  /** Beside a field whose value cannot be used. */
  email_wrong: string
  text_wrong: string
  lists_wrong: string
  challenge_wrong: string
  /** After a sign-up that must be confirmed. */
  inbox_title: string
  /** {email} */
  inbox_text: string
  inbox_missing: string
  resend: string
  /** After a sign-up that need not be confirmed, as a rule. */
  thanks_title: string
  /** {list} */
  thanks_text: string
  thanks_maybe: string
  confirm_title: string
  /** {email} */
  confirm_text: string
  /** Before the wording that they agree to. */
  confirm_agree: string
  confirm_button: string
  confirm_not_you: string
  confirmed_title: string
  confirmed_text: string
  confirmed_leave: string
  /** When the link was used already. */
  before_title: string
  before_text: string
  before_left: string
  expired_title: string
  /** {days} */
  expired_text: string
  broken_title: string
  broken_text: string
  deleted_title: string
  deleted_text: string
  missing_title: string
  missing_text: string
  limit_title: string
  /** {minutes} */
  limit_text: string
  failed_title: string
  failed_text: string
  unreadable_title: string
  unreadable_text: string
  /** {list} */
  mail_subject: string
  /** {list} */
  mail_text: string
  mail_button: string
  mail_small: string
  /** {list} */
  already_subject: string
  /** {list} */
  already_text: string
  already_small: string
}

/** Puts values into a text; one that is not given stays as it stands. The result is plain text, to be escaped for HTML. */
export const fill = (text: string, values: Record<string, string | number>): string =>
  text.replace(/\{(\w+)\}/g, (whole, name: string) => (Object.hasOwn(values, name) ? String(values[name]) : whole))
