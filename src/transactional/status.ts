/**
 * queued -> sending -> sent | failed | unconfirmed; `later` puts a mail back to queued. Skipped from the start, or at its
 * turn, is whoever must not be mailed. Marked as sending before it leaves, no mail is ever sent twice.
 */
export const MAIL_STATES = ['queued', 'sending', 'sent', 'failed', 'skipped', 'unconfirmed'] as const
export type MailState = (typeof MAIL_STATES)[number]

/** `confirmation`: of a sign-up. `data`: what somebody asked for of their own data. */
export const PURPOSES = ['test', 'confirmation', 'data'] as const
export type Purpose = (typeof PURPOSES)[number]
