/**
 * Stands for the recipient of a mail that belongs to nobody, such as a test send: tokens made for it are valid, record
 * nothing and unsubscribe nobody. Postgres counts ids up from 1 and never gets here.
 */
export const NOBODY = Number.MAX_SAFE_INTEGER

/**
 * Stands for every recipient of a campaign that counts without saying who: its tokens are the same in each mail, and what
 * they bring is recorded of nobody in particular.
 */
export const ANYBODY = Number.MAX_SAFE_INTEGER - 1
