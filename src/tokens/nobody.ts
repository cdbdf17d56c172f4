/**
 * Stands for the recipient of a mail that belongs to nobody, such as a test send: tokens made for it are valid, record
 * nothing and unsubscribe nobody. Postgres counts ids up from 1 and never gets here.
 */
export const NOBODY = Number.MAX_SAFE_INTEGER
