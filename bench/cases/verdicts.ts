// Machines told from people, where it is known who is who: a trace of one campaign through the edge's code and the flush.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { VERDICTS } from '../../src/tracking/verdict.ts'
import { startDatabase } from '../database.ts'
import type { Findings } from '../result.ts'
import type { Options } from '../run.ts'
import { type Judged, judgeTrace } from '../traces/judged.ts'
import { MIX, mailing } from '../traces/mailing.ts'
import { ACTORS } from '../traces/trace.ts'

const START = new Date('2026-11-24T09:00:00Z')
/** As cron drains them. */
const SLICE = 5000
const SEED = 2026

const AIMS = { precision: 0.99, recall: 0.95, misjudged: 0.01 }

export async function benchVerdicts({ recipients, seed, say }: Options): Promise<Findings> {
  const dir = mkdtempSync(join(tmpdir(), 'emk-bench-'))
  const database = await startDatabase(dir, { durable: false })
  try {
    const drawn = seed ?? SEED
    const trace = mailing(recipients, drawn)
    say(`${trace.requests.length} requests of ${recipients} recipients, seed ${drawn}`)
    const judged = await judgeTrace(database.db, trace, START, SLICE)
    const { precision, recall, clicks_misjudged, visits_misjudged, wronged, missed } = judged
    const reached =
      precision >= AIMS.precision &&
      recall >= AIMS.recall &&
      clicks_misjudged < AIMS.misjudged &&
      visits_misjudged < AIMS.misjudged
    return {
      rows: [
        { name: 'clicks called a machine’s that were not (1 - precision)', value: (1 - precision) * 100, unit: '%' },
        { name: 'machines’ clicks that were missed (1 - recall)', value: (1 - recall) * 100, unit: '%' },
        { name: 'people’s clicks called a machine’s', value: clicks_misjudged * 100, unit: '%' },
        { name: 'people’s opens and clicks called a machine’s', value: visits_misjudged * 100, unit: '%' },
      ],
      ratios: {},
      notes: [
        ...matrixOf(judged),
        '',
        `The mix: ${MIX}.`,
        `Aims: precision at least ${AIMS.precision * 100} %, recall at least ${AIMS.recall * 100} %, people called machines under ${AIMS.misjudged * 100} %: ${reached ? 'reached' : 'NOT reached'}.`,
        `People’s visits called a machine’s, by reason: ${listOf(wronged)}.`,
        `Machines’ clicks that were missed, by whom, network and reason: ${listOf(missed)}.`,
      ],
      facts: { recipients, seed: drawn, precision, recall, clicks_misjudged, visits_misjudged },
    }
  } finally {
    await database.stop()
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
  }
}

function matrixOf({ matrix }: Judged): string[] {
  const line = (kind: string, who: string, cells: readonly (string | number)[]) =>
    `  ${kind.padEnd(6)}${who.padEnd(18)}${cells.map((cell) => cell.toLocaleString('en').padStart(10)).join('')}`
  const lines = [line('', 'who it was', VERDICTS)]
  for (const kind of ['open', 'click'] as const) {
    for (const actor of ACTORS) {
      const counts = VERDICTS.map((verdict) => matrix[kind][actor][verdict])
      if (counts.some((count) => count > 0)) lines.push(line(kind, actor, counts))
    }
  }
  return lines
}

const listOf = (counts: Record<string, number>) =>
  Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .slice(0, 12)
    .map(([name, count]) => `${name} ${count.toLocaleString('en')}`)
    .join(', ') || 'none'
