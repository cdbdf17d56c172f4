import type { Delimiter, Encoding } from './options.ts'

/** Whose export a file is, as its columns show. */
export const EXPORT_FORMATS = ['mailchimp', 'listmonk', 'brevo', 'sendgrid', 'generic'] as const
export type ExportFormat = (typeof EXPORT_FORMATS)[number]

/** What was learnt from a file's beginning and holds to its end. */
export interface ReadState {
  encoding: Encoding
  delimiter: Delimiter
  format: ExportFormat
  /** The first record, in the order of the columns. */
  header: string[]
}
