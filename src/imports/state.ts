import type { Delimiter, Encoding } from './options.ts'

/** Whose export a file is, as its columns show; `kit` is our own. */
export const EXPORT_FORMATS = ['kit', 'mailchimp', 'listmonk', 'brevo', 'sendgrid', 'generic'] as const
export type ExportFormat = (typeof EXPORT_FORMATS)[number]

/** What was learnt from a file's beginning and holds to its end. */
export interface ReadState {
  encoding: Encoding
  delimiter: Delimiter
  format: ExportFormat
  /** The first record, in the order of the columns. */
  header: string[]
  /**
   * The position is inside a record that was refused for its length: what is left of its line belongs to no record. So a
   * state is only good together with the position it was yielded with.
   */
  in_long_record?: true
}

/** One record of the file. */
export interface SourceRecord {
  /** Where it begins: bytes of the file before it, and the line, from 1. A part may also begin there. */
  offset: number
  line: number
  /** As many as the header has. None when there is a problem. */
  cells: string[]
  /** As it stands in the file, without the line break. Of a record that is too long, only the beginning. */
  text: string
  /** Why it cannot be read; the records after it can. */
  problem: string | null
}

/** What one column of the file is taken for. */
export interface ColumnDescription {
  /** As the header spells it. */
  column: string
  /** A field of subscribers or suppressions, `attributes.<name>`, or null where the column is left out. */
  field: string | null
}
