// A campaign from `POST /send` to the sink's last 250: the kit as it stands (queue, ledger, gate, rendering, tracking)
// against senders that get their mails rendered and have no record to keep. Over loopback, where the work counts, and with
// a round trip of 20 ms, where the waiting does.
import { race } from '../race.ts'
import { type Findings, median, spread } from '../result.ts'
import { forkRival } from '../rivals/rival.ts'
import { startWorkerMailer } from '../rivals/worker-mailer.ts'
import type { Options } from '../run.ts'

/** As many as an SMTP account has where nothing else is said. */
const CONNECTIONS = 4
const ROUND_TRIP = 20
/** With a round trip one connection sends some 45 mails a second at best: fewer mails, and fewer rounds, say as much. */
const FEWER_MAILS = 5
const FEWER_ROUNDS = 2

const NAMES = {
  ours: 'ours, from POST /send to the last mail',
  nodemailer: 'nodemailer',
  worker_mailer: 'worker-mailer in workerd',
  raw_1: 'limit: ready messages, 1 socket',
  raw_4: 'limit: ready messages, 4 sockets',
}
type Name = keyof typeof NAMES
const ALL = Object.keys(NAMES) as Name[]

const DISTANCES = [
  { round_trip: 0, title: '', key: '' },
  { round_trip: ROUND_TRIP, title: `${ROUND_TRIP} ms: `, key: `_${ROUND_TRIP}ms` },
] as const

interface Rates {
  mails: number
  rounds: number
  by_name: ReadonlyMap<Name, number[]>
  cpu_ms: number[]
  statements: number[]
}

export function benchSend({ recipients, rounds, say }: Options): Promise<Findings> {
  const account = (port: number) => ({ name: 'sink', kind: 'smtp', host: '127.0.0.1', port, tls: 'none' })
  return race(
    {
      sink: 'sink.ts',
      account,
      recipients,
      say,
      rivals: async (dir, samples, sink_port) => {
        const port = String(sink_port)
        return {
          nodemailer: forkRival('nodemailer.ts', [samples, port, String(CONNECTIONS)]),
          worker_mailer: await startWorkerMailer(dir, samples, sink_port),
          raw_1: forkRival('raw-socket.ts', [samples, port, '1']),
          raw_4: forkRival('raw-socket.ts', [samples, port, String(CONNECTIONS)]),
        }
      },
    },
    async ({ bytes, send }) => {
      const measured: Rates[] = []
      for (const { round_trip, title } of DISTANCES) {
        const near = round_trip === 0
        const mails = near ? recipients : Math.ceil(recipients / FEWER_MAILS)
        const rates: Rates = {
          mails,
          rounds: near ? rounds : Math.ceil(rounds / FEWER_ROUNDS),
          by_name: new Map(ALL.map((name) => [name, []])),
          cpu_ms: [],
          statements: [],
        }
        for (let round = 1; round <= rates.rounds; round++) {
          for (const [name, all] of rates.by_name) {
            const sent = await send(name, mails, round_trip)
            all.push(sent.rate)
            if (sent.cpu_ms !== null) rates.cpu_ms.push(sent.cpu_ms)
            if (sent.statements !== null) rates.statements.push(sent.statements)
          }
          const line = [...rates.by_name].map(([name, all]) => `${name} ${Math.round(all.at(-1) ?? 0)}/s`)
          const [cpu, statements] = [rates.cpu_ms.at(-1), rates.statements.at(-1)].map((n) => Math.round(n ?? 0))
          say(`${title}round ${round}: ${line.join(', ')}; ours for 1,000: ${cpu} ms of CPU, ${statements} statements`)
        }
        measured.push(rates)
      }
      return findings(measured, bytes)
    },
  )
}

function findings(measured: readonly Rates[], bytes: number): Findings {
  const ratios: Findings['ratios'] = {}
  const rows: Findings['rows'] = []
  for (const [n, { by_name, cpu_ms, statements }] of measured.entries()) {
    const { key = '', title = '' } = DISTANCES[n] ?? {}
    const rate = (name: Name) => median(by_name.get(name) ?? [])
    rows.push(...ALL.map((name) => ({ name: `${title}${NAMES[name]}`, value: rate(name), unit: 'mails/s' })))
    if (cpu_ms.length > 0) rows.push({ name: `${title}ours, CPU for 1,000 mails`, value: median(cpu_ms), unit: 'ms' })
    rows.push({ name: `${title}ours, SQL for 1,000 mails`, value: median(statements), unit: 'statements' })
    ratios[`vs_nodemailer${key}`] = rate('ours') / rate('nodemailer')
    ratios[`vs_worker_mailer${key}`] = rate('ours') / rate('worker_mailer')
    ratios[`vs_limit${key}`] = rate('ours') / Math.max(rate('raw_1'), rate('raw_4'))
  }
  const noise = measured.map(({ by_name }) =>
    [...by_name].map(([name, all]) => `${name} ${Math.round(spread(all) * 100)} %`).join(', '),
  )
  const [near, far] = measured
  return {
    rows,
    ratios,
    notes: [
      `${Math.round(bytes / 1000)} kB a mail, ${CONNECTIONS} connections each, to a sink that keeps nothing. Over loopback ${near?.mails} recipients, median of ${near?.rounds} rounds in turn; ${ROUND_TRIP} ms away (each direction 10 ms at the sink) ${far?.mails} and ${far?.rounds}.`,
      'Ours renders each mail and records each outcome; the others get their mails rendered and record nothing.',
      'CPU: user and system time of the workerd that runs all three Workers, queues and gate, less what it uses when idle.',
      'SQL: statements, not round trips, of all Workers from POST /send to the end, as they pass the local Neon endpoint; BEGIN and COMMIT do not count.',
      `Spread of the rounds (largest less smallest): ${noise.join('; ')}.`,
    ],
  }
}
