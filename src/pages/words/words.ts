// What public pages and our own mails say, one file per language. Texts are plain, not HTML; `{name}` stands for a value
// that `fill` puts in.

/** Every text in one language. To add a language, copy `en.ts`, translate it and register it in `choose.ts`. */
export interface Words {
  /** BCP 47 tag, for `lang` attributes. */
  language: string
  frame: FrameWords
  signup: SignupWords
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
}

/** Puts values into a text; one that is not given stays as it stands. The result is plain text, to be escaped for HTML. */
export const fill = (text: string, values: Record<string, string | number>): string =>
  text.replace(/\{(\w+)\}/g, (whole, name: string) => (Object.hasOwn(values, name) ? String(values[name]) : whole))
