// The tables of docs/delivery.md.
import { readFileSync } from 'node:fs'

export const PAGE = readFileSync(new URL('../../../docs/delivery.md', import.meta.url), 'utf8')

/** Rows of the one table below a heading, without its head; code marks are taken off. */
export function rowsOf(heading: string): string[][] {
  const section = PAGE.split(/^## /m).find((part) => part.startsWith(`${heading}\n`))
  if (section === undefined) throw new Error(`docs/delivery.md has no section ${heading}`)
  const lines = section.split('\n').filter((line) => line.startsWith('| '))
  return lines.slice(2).map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim().replace(/^(`+)(.*)\1$/, '$2')),
  )
}
