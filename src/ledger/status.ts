/**
 * pending -> sending -> sent | failed | skipped | unconfirmed, with deferred (waits for `next_attempt_at`) in between.
 * pending, sending and deferred are open; the other four are ends, of which only unconfirmed may still become sent.
 */
export const DELIVERY_STATES = ['pending', 'sending', 'deferred', 'sent', 'failed', 'skipped', 'unconfirmed'] as const
export type DeliveryState = (typeof DELIVERY_STATES)[number]

/** Recipients in one batch: what one queue message points at, and one lease covers. */
export const BATCH_SIZE = 100

/**
 * The reason of a row that the owner wants sent again although its answer was lost. It stays while that is put off: of the
 * first mail there may still be evidence.
 */
export const RESEND = 'resend'
