/**
 * What a file may change of people who are there already. `skip`: nothing, lists and tags neither. `fill`: only what is
 * empty. `overwrite`: whatever the file has a value for. An empty cell never erases anything, an opt-out counts
 * under every policy, and none makes anyone mailable who opted out, bounced, complained or was deleted.
 */
export const IMPORT_POLICIES = ['skip', 'fill', 'overwrite'] as const
export type ImportPolicy = (typeof IMPORT_POLICIES)[number]

export const ENCODINGS = ['utf-8', 'utf-16le', 'utf-16be', 'windows-1252'] as const
export type Encoding = (typeof ENCODINGS)[number]

export const DELIMITERS = [',', ';', '\t'] as const
export type Delimiter = (typeof DELIMITERS)[number]

/** What the caller said about a file; what is left out is found out from its beginning. */
export interface ImportOptions {
  policy: ImportPolicy
  list_ids: number[]
  /** Given to everyone who is written. */
  tags: string[]
  /** How these people agreed, for rows that do not say. */
  consent_source: string | null
  /** From column names to fields, as `map` in mapping.ts reads them; columns not named are recognised by their names. */
  mapping: Record<string, string>
  encoding: Encoding | null
  delimiter: Delimiter | null
}
