import { availableParallelism, cpus } from 'node:os'
import { type Findings, rounded } from './result.ts'

/** A case's findings for a person. */
export function formatFindings(name: string, { rows, ratios, notes }: Findings): string {
  const width = Math.max(...rows.map((row) => row.name.length), ...Object.keys(ratios).map((rival) => rival.length))
  const line = (label: string, value: number, unit: string) =>
    `  ${label.padEnd(width)}  ${rounded(value).toLocaleString('en').padStart(9)} ${unit}`
  return [
    `${name}, on ${availableParallelism()} cores (${cpus()[0]?.model.trim() ?? 'unknown'})`,
    '',
    ...rows.map((row) => line(row.name, row.value, row.unit)),
    '',
    ...Object.entries(ratios).map(([rival, ratio]) => line(rival, ratio, 'times as fast')),
    '',
    ...notes,
  ].join('\n')
}
