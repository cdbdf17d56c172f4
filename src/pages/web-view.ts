// Instead of a mail as a page, when there is none to show.
import { layout } from './layout.ts'

/** Its reader was deleted, or what is known of them no longer fills it in. */
export const mailGonePage = () =>
  layout('This email is no longer available', '<p>It was made for one reader and can no longer be shown.</p>')

/** A test send's: nobody's data is kept for it. */
export const testMailPage = () =>
  layout(
    'This was a test email',
    '<p>Emails of the campaign itself have a web version here, each filled in for its reader.</p>',
  )

export const mailLaterPage = () =>
  layout('Please try again', '<p role="alert">We cannot show this email just now. Please try again in a minute.</p>')
