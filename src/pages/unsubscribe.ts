// What a reader sees who wants to leave. The pages know neither the address nor the list: they are shown without asking
// any database.
import { escapeHtml, layout } from './layout.ts'

type Scope = 'lists' | 'all'

/** The question. The form posts to the page's own address; without a press of a button nothing happens. */
export const unsubscribePage = () =>
  layout(
    'Unsubscribe',
    `<p>You opened this page from an email. Choose what you no longer want to receive.</p>
<form method="post">
<button type="submit" name="scope" value="lists" aria-describedby="lists">Unsubscribe from this list</button>
<p class="soft" id="lists">No more emails of the kind that brought you here.</p>
<button class="quiet" type="submit" name="scope" value="all" aria-describedby="all">Unsubscribe from all emails</button>
<p class="soft" id="all">No more emails of any kind from this sender.</p>
</form>
<p class="soft">Changed your mind? Just close this page: nothing has been changed yet.</p>`,
  )

/**
 * The confirmation, shown once the opt-out is durable.
 *
 * @param preferences_url - where the reader may choose what else they get; null for nowhere
 */
export const leftPage = (scope: Scope, preferences_url: string | null) =>
  layout(
    'You are unsubscribed',
    `${
      scope === 'all'
        ? '<p role="status">You will not receive any more emails from this sender.</p>'
        : `<p role="status">You will not receive any more emails from this list.</p>
<form method="post">
<button class="quiet" type="submit" name="scope" value="all">Unsubscribe from all emails too</button>
</form>`
    }${preferences_url === null ? '' : `\n<p class="soft"><a href="${escapeHtml(preferences_url)}">See what else you get from this sender</a></p>`}`,
  )

/** The opt-out could not be kept: the reader must not believe that it was. */
export const notSavedPage = (scope: Scope) =>
  layout(
    'Please try again',
    `<p role="alert">We could not save your choice just now, so you are <strong>still subscribed</strong>. Please try again in a minute.</p>
<form method="post">
<button type="submit" name="scope" value="${scope}">Try again</button>
</form>`,
  )

export const unclearPage = () =>
  layout(
    'Nothing was changed',
    `<p role="alert">We did not understand what to unsubscribe you from. Please choose again.</p>
<form method="get">
<button type="submit">Back</button>
</form>`,
  )

export const invalidUnsubscribePage = () =>
  layout(
    'This link is not valid',
    `<p>The address is incomplete or was changed on its way to you, so we cannot tell who wants to unsubscribe.</p>
<p class="soft">Open the email again and follow its unsubscribe link, or reply to the email and ask to be removed.</p>`,
  )

/** For the link of a test mail, which belongs to nobody. */
export const testMailPage = () =>
  layout(
    'This was a test mail',
    `<p role="status">Its unsubscribe link works, and unsubscribes nobody. In the mail that subscribers get, the page behind it lets them leave.</p>`,
  )
