export const IMPORT_KINDS = ['subscribers', 'suppressions'] as const
export type ImportKind = (typeof IMPORT_KINDS)[number]

/** receiving -> finished | failed (cannot be read as CSV at all) | cancelled */
export const IMPORT_STATUSES = ['receiving', 'finished', 'failed', 'cancelled'] as const
export type ImportStatus = (typeof IMPORT_STATUSES)[number]
