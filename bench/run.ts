// `npm run bench -- <case>`: measures, prints a table, writes bench/results/<case>.json. It never judges a time; it fails
// when something was wrong, such as a mail that did not arrive.
import { parseArgs } from 'node:util'
import { benchCrash } from './cases/crash.ts'
import { benchDispatch } from './cases/dispatch.ts'
import { benchClick, benchOpen } from './cases/edge.ts'
import { benchFlush } from './cases/flush.ts'
import { benchImport } from './cases/import.ts'
import { benchRender } from './cases/render.ts'
import { benchSegments } from './cases/segments.ts'
import { benchSend } from './cases/send.ts'
import { benchSendSes } from './cases/send-ses.ts'
import { benchStats } from './cases/stats.ts'
import { benchVerdicts } from './cases/verdicts.ts'
import { type Findings, writeResult } from './result.ts'
import { formatFindings } from './table.ts'

const CASES: Record<string, (options: Options) => Promise<Findings>> = {
  send: benchSend,
  'send-ses': benchSendSes,
  dispatch: benchDispatch,
  click: benchClick,
  open: benchOpen,
  render: benchRender,
  crash: benchCrash,
  flush: benchFlush,
  stats: benchStats,
  segments: benchSegments,
  import: benchImport,
  verdicts: benchVerdicts,
}

/** Size of the campaign where it is not 10,000, and rounds where they are not 5. */
const RECIPIENTS: Record<string, number> = {
  'send-ses': 800,
  dispatch: 1_000_000,
  crash: 5000,
  flush: 40_000,
  stats: 10_000_000,
  segments: 1_000_000,
  import: 1_000_000,
  verdicts: 100_000,
}
const ROUNDS: Record<string, number> = { 'send-ses': 3, dispatch: 3, flush: 3, stats: 3, segments: 3, import: 1 }
const defaults = (all: Record<string, number>) =>
  Object.entries(all)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')

const HELP = `npm run bench -- CASE... [options]

  cases: ${Object.keys(CASES).join(', ')}

  --recipients N    size of the campaign, where there is one; of stats the events, of import the rows, of segments the subscribers (default 10000; ${defaults(RECIPIENTS)})
  --rounds N        how often everything is measured, in turn; medians count (default 5; ${defaults(ROUNDS)})
  --provider P      crash: smtp or ses (default smtp)
  --seed N          crash: has the faults of an earlier run (default: any); verdicts: another mailing
`

export interface Options {
  recipients: number
  rounds: number
  provider: 'smtp' | 'ses'
  /** Chooses the faults, or the mailing; null where it is not said. */
  seed: number | null
  /** Hears what is being done. */
  say: (line: string) => void
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    help: { type: 'boolean' },
    recipients: { type: 'string' },
    rounds: { type: 'string' },
    provider: { type: 'string', default: 'smtp' },
    seed: { type: 'string' },
  },
})
const rounds = values.rounds === undefined ? null : Number(values.rounds)
const recipients = values.recipients === undefined ? null : Number(values.recipients)
const seed = values.seed === undefined ? null : Number(values.seed)
const { provider } = values
const unknown = positionals.find((name) => !(name in CASES))
const wrong =
  unknown !== undefined ||
  ![recipients, rounds].every((count) => count === null || (Number.isInteger(count) && count > 0)) ||
  (seed !== null && !Number.isInteger(seed)) ||
  (provider !== 'smtp' && provider !== 'ses')
if (values.help || wrong || positionals.length === 0) {
  console.error(unknown === undefined ? HELP : `there is no case "${unknown}"\n\n${HELP}`)
  process.exit(values.help ? 0 : 1)
}

try {
  for (const name of positionals) {
    const bench = CASES[name]
    if (!bench) continue
    const findings = await bench({
      recipients: recipients ?? RECIPIENTS[name] ?? 10_000,
      rounds: rounds ?? ROUNDS[name] ?? 5,
      provider,
      seed,
      say: (line) => console.error(line),
    })
    writeResult(name, findings)
    console.log(`\n${formatFindings(name, findings)}\n`)
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
process.exit()
