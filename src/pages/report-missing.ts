// Instead of a report, when there is none to show.
import { layout } from './layout.ts'

export const invalidReportPage = () =>
  layout(
    'This link is not valid',
    '<p>The address is incomplete or was changed on its way to you. Ask whoever sent it to you for a new one.</p>',
  )

export const expiredReportPage = () =>
  layout('This link has expired', '<p>Links to reports work for a limited time. Ask for a new one.</p>')

export const reportGonePage = () => layout('This report is no longer available', '<p>Its campaign was deleted.</p>')

export const reportLaterPage = () =>
  layout('Please try again', '<p role="alert">We cannot show this report just now. Please try again in a minute.</p>')
