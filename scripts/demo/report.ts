import type { Line } from './compare.ts'

/** The lines that do not agree. */
export const differences = (lines: readonly Line[]) => lines.filter((line) => line.reported !== line.expected)

/** The report for a person: each number with a mark, and what it was held against where that differs. */
export function formatReport(lines: readonly Line[]): string {
  const width = Math.max(...lines.map((line) => line.name.length))
  return lines
    .map(({ name, reported, expected }) => {
      const same = reported === expected
      return `  ${same ? 'ok' : '!!'}  ${name.padEnd(width)}  ${reported}${same ? '' : `   expected ${expected}`}`
    })
    .join('\n')
}
