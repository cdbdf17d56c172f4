// `npm run bench -- <case>`: measures, prints a table, writes bench/results/<case>.json. It never judges a time; it fails
// when something was wrong, such as a mail that did not arrive.
import { parseArgs } from 'node:util'
import { benchCrash } from './cases/crash.ts'
import { benchClick, benchOpen } from './cases/edge.ts'
import { benchRender } from './cases/render.ts'
import { benchSend } from './cases/send.ts'
import { type Findings, writeResult } from './result.ts'
import { formatFindings } from './table.ts'

const CASES: Record<string, (options: Options) => Promise<Findings>> = {
  send: benchSend,
  click: benchClick,
  open: benchOpen,
  render: benchRender,
  crash: benchCrash,
}

/** Size of the campaign where it is not 10,000. */
const RECIPIENTS: Record<string, number> = { crash: 5000 }

const HELP = `npm run bench -- CASE... [options]

  cases: ${Object.keys(CASES).join(', ')}

  --recipients N    send, crash: size of the campaign (default 10000; crash: 5000)
  --rounds N        how often everything is measured, in turn; medians count (default 5)
  --provider P      crash: smtp or ses (default smtp)
  --seed N          crash: has the faults of an earlier run (default: any)
`

export interface Options {
  recipients: number
  rounds: number
  provider: 'smtp' | 'ses'
  /** Chooses the faults; null for any. */
  seed: number | null
  /** Hears what is being done. */
  say: (line: string) => void
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    help: { type: 'boolean' },
    recipients: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    provider: { type: 'string', default: 'smtp' },
    seed: { type: 'string' },
  },
})
const rounds = Number(values.rounds)
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
      rounds,
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
