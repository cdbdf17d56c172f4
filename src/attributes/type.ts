/**
 * What an attribute may hold. `date`: a day (`2026-11-24`) or a moment (ISO 8601 in UTC, `2026-11-24T08:30:00Z`), as text.
 * `list`: an array of strings.
 */
export const ATTRIBUTE_TYPES = ['string', 'number', 'boolean', 'date', 'list'] as const
export type AttributeType = (typeof ATTRIBUTE_TYPES)[number]

/** Definitions at most: as many as one subscriber may have attributes. Every write reads them all. */
export const DEFINITIONS_LIMIT = 100
