/**
 * Who is held to have opened or clicked. Nothing is dropped for it: numbers are shown for all, and for `human` beside them.
 * - `human`: a person
 * - `machine`: a scanner, a prefetch, a link checker
 * - `unsure`: it may have been either (Apple Mail loads every picture, read or not)
 */
export const VERDICTS = ['human', 'machine', 'unsure'] as const
export type Verdict = (typeof VERDICTS)[number]
