// `npm run bench -- <case>`: measures, prints a table, writes bench/results/<case>.json. It never judges a time; it fails
// when something was wrong, such as a mail that did not arrive.
import { parseArgs } from 'node:util'
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
}

const HELP = `npm run bench -- CASE... [options]

  cases: ${Object.keys(CASES).join(', ')}

  --recipients N    send: size of the campaign (default 10000)
  --rounds N        how often everything is measured, in turn; medians count (default 5)
`

export interface Options {
  recipients: number
  rounds: number
  /** Hears what is being done. */
  say: (line: string) => void
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    help: { type: 'boolean' },
    recipients: { type: 'string', default: '10000' },
    rounds: { type: 'string', default: '5' },
  },
})
const recipients = Number(values.recipients)
const rounds = Number(values.rounds)
const unknown = positionals.find((name) => !(name in CASES))
const wrong =
  unknown !== undefined || !Number.isInteger(recipients) || recipients < 1 || !Number.isInteger(rounds) || rounds < 1
if (values.help || wrong || positionals.length === 0) {
  console.error(unknown === undefined ? HELP : `there is no case "${unknown}"\n\n${HELP}`)
  process.exit(values.help ? 0 : 1)
}

try {
  for (const name of positionals) {
    const bench = CASES[name]
    if (!bench) continue
    const findings = await bench({ recipients, rounds, say: (line) => console.error(line) })
    writeResult(name, findings)
    console.log(`\n${formatFindings(name, findings)}\n`)
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
process.exit()
