// The delivery contract under fire, `--provider smtp` or `ses`: not how fast, but whether anybody is lost or mailed twice
// while the Workers are killed 20 times, Postgres and Redis die or are cut off, and the mail server fails. Writes
// bench/results/crash.json, or crash-ses.json.
import { randomInt } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CONNECTIONS, GROUP, runCrash } from '../../test/support/crash.ts'
import { openCrashGround } from '../crash-ground.ts'
import type { Findings } from '../result.ts'
import type { Options } from '../run.ts'

const KILLS = 20
const OUTAGES = 12
const OUTAGE_MS = 4000
/** Mails a second that the mail server takes: 5,000 are over a minute's work, and a sender is never without rows under way. */
const PACE = 70
/** So many of the kills must come while rows are `sending`, or the run has tested too little. */
const IN_FLIGHT = 15
/** Shortest run, in seconds. */
const SHORTEST = 60

export async function benchCrash(options: Options): Promise<Findings> {
  const { recipients, provider, say } = options
  const seed = options.seed ?? randomInt(2 ** 31)
  const dir = mkdtempSync(join(tmpdir(), 'emk-crash-'))
  say(`seed ${seed} (--seed ${seed} has the same happen at the same points of the campaign)`)
  const ground = await openCrashGround(dir)
  let passed = false
  try {
    const run = { provider, recipients, kills: KILLS, outages: OUTAGES, outage_ms: OUTAGE_MS, pace: PACE, seed, say }
    const { faults, struck, seconds, ...report } = await runCrash(ground, run)
    if (report.kills_in_flight < IN_FLIGHT)
      faults.push(`only ${report.kills_in_flight} kills came while rows were sending`)
    if (seconds < SHORTEST) faults.push(`it was over after ${seconds} s`)
    if (faults.length > 0) throw new Error(`seed ${seed}, ${JSON.stringify(report)}:\n  ${faults.join('\n  ')}`)
    passed = true
    const { lost, doubled, unconfirmed, kills, kills_in_flight } = report
    const row = (name: string, value: number, unit: string) => ({ name, value, unit })
    return {
      ...(provider === 'smtp' ? {} : { variant: provider }),
      rows: [
        row('lost', lost, 'recipients'),
        row('mailed twice', doubled, 'recipients'),
        row('unconfirmed', unconfirmed, 'recipients'),
        row('sent', report.sent, 'recipients'),
        row('refused by the server', report.failed, 'recipients'),
        row('kills', kills, 'SIGKILL'),
        row('of which with rows in flight', kills_in_flight, 'SIGKILL'),
        row('answers kept back by the server', report.unanswered, 'mails'),
        row('resumed by the owner', report.resumed, 'times'),
        row('from POST /send to the end', seconds, 's'),
      ],
      ratios: {},
      facts: { lost, doubled, unconfirmed, kills, kills_in_flight, seed },
      notes: [
        `${recipients} recipients over ${provider.toUpperCase()}, ${OUTAGES} outages of Postgres and Redis; the mail server's journal is the witness.`,
        `It: ${Object.entries(struck)
          .map(([fault, times]) => `${fault} ${times}`)
          .join(', ')}.`,
        `At most ${CONNECTIONS * GROUP} unconfirmed for each kill (${CONNECTIONS} connections, groups of ${GROUP}), and one for each answer kept back.`,
      ],
    }
  } finally {
    if (!passed) say(`the Workers' log, the journal and all data are left in ${dir}`)
    await ground.close().catch((error) => say(String(error)))
    if (passed) rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
  }
}
