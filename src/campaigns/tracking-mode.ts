/**
 * What is kept of opens, and of clicks.
 * - `individual`: who did it, and when
 * - `aggregate`: that somebody did; links and picture are the same for everyone, and the event names nobody
 * - `none`: nothing; there is no picture, and links are left as they are
 */
export const TRACKING_MODES = ['individual', 'aggregate', 'none'] as const
export type TrackingMode = (typeof TRACKING_MODES)[number]
