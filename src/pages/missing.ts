import { layout } from './layout.ts'

export const missingPage = () => layout('Page not found', '<p>There is no page at this address.</p>')

/** For a link in a mail that was changed or cut on its way. */
export const brokenLinkPage = () =>
  layout(
    'This link is broken',
    `<p>The address is incomplete or was changed on its way to you, so we do not know where it leads.</p>
<p class="soft">Open the email again and follow the link from there.</p>`,
  )
