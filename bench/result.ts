// What a run of a case leaves behind.
import { writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'

/** `bench/results/<case>.json`: the last run. */
export interface Result {
  case: string
  /** When it was run (ISO 8601). */
  at: string
  cores: number
  rows: Row[]
  /** Ours over theirs in speed: larger is better, 1 is level. */
  ratios: Record<`vs_${string}`, number>
}

export interface Row {
  name: string
  value: number
  unit: string
}

/** What a case found: `notes` say what was measured and how. */
export interface Findings {
  rows: Row[]
  ratios: Result['ratios']
  notes: string[]
  /** Put after the case's name in the file's. */
  variant?: string
  /** Fields of the file beside those every case has, as they are. */
  facts?: Record<string, number | string>
}

export function writeResult(name: string, { rows, ratios, variant, facts }: Findings): void {
  const result: Result = {
    case: name,
    at: new Date().toISOString(),
    cores: availableParallelism(),
    rows: rows.map((row) => ({ ...row, value: rounded(row.value) })),
    ratios: Object.fromEntries(Object.entries(ratios).map(([rival, ratio]) => [rival, rounded(ratio)])),
  }
  const file = fileURLToPath(new URL(`results/${variant ? `${name}-${variant}` : name}.json`, import.meta.url))
  writeFileSync(file, `${JSON.stringify({ ...result, ...facts }, null, 2)}\n`)
}

/** Three digits are all that a run on a shared computer can tell. */
export const rounded = (value: number) => Number(value.toPrecision(3))

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}

/** Difference of the largest and the smallest as a share of the median: how far one run may be from the next. */
export function spread(values: readonly number[]): number {
  return (Math.max(...values) - Math.min(...values)) / median(values)
}
