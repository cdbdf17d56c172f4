import type { ExportFormat } from './state.ts'

/** Columns that all exports of a product have, in lower case, and that no other has together. */
const SIGNS: [format: ExportFormat, columns: string[]][] = [
  // https://mailchimp.com/help/view-export-contacts/
  ['mailchimp', ['email address', 'optin_time', 'leid', 'euid']],
  // https://listmonk.app/docs/: subscribers/export
  ['listmonk', ['uuid', 'email', 'name', 'attributes', 'status']],
]

export function formatOf(header: readonly string[]): ExportFormat {
  const names = new Set(header.map((name) => name.toLowerCase()))
  return SIGNS.find(([, columns]) => columns.every((name) => names.has(name)))?.[0] ?? 'generic'
}
