// A campaign over Amazon SES, which is 50 ms away: what counts is how many requests are under way. Against a script of
// one's own, one mail after the other as most are written, and with as many requests under way as one invocation has.
import { race } from '../race.ts'
import { type Findings, median, spread } from '../result.ts'
import { forkRival } from '../rivals/rival.ts'
import type { Options } from '../run.ts'

const LATENCY = 50
/** Requests that one invocation of emk-sender has under way. */
const IN_FLIGHT = 4

const NAMES = {
  ours: 'ours, from POST /send to the last mail',
  sequential: 'a script, one mail after the other',
  lanes: 'a script, 4 mails at a time',
  ready: 'limit: ready requests, 4 at a time',
  endpoint: 'the endpoint itself: ready requests, 64 at a time',
}
type Name = keyof typeof NAMES
const ALL = Object.keys(NAMES) as Name[]

export function benchSendSes({ recipients, rounds, say }: Options): Promise<Findings> {
  const account = (port: number) => ({
    name: 'ses',
    kind: 'ses',
    region: 'eu-west-1',
    access_key_id: 'AKIDEXAMPLE',
    secret_access_key: 'secret',
    endpoint: `http://127.0.0.1:${port}`,
  })
  return race(
    {
      sink: 'ses-sink.ts',
      account,
      recipients,
      say,
      rivals: async (_dir, samples, port) => {
        const loop = (...args: string[]) => forkRival('ses-loop.ts', [samples, String(port), ...args])
        return {
          sequential: loop('1'),
          lanes: loop(String(IN_FLIGHT)),
          ready: loop(String(IN_FLIGHT), 'ready'),
          endpoint: loop('64', 'ready'),
        }
      },
    },
    async ({ bytes, send }) => {
      const rates = new Map<Name, number[]>(ALL.map((name) => [name, []]))
      const cpu_ms: number[] = []
      const statements: number[] = []
      for (let round = 1; round <= rounds; round++) {
        for (const [name, all] of rates) {
          const sent = await send(name, recipients, LATENCY)
          all.push(sent.rate)
          if (sent.cpu_ms !== null) cpu_ms.push(sent.cpu_ms)
          if (sent.statements !== null) statements.push(sent.statements)
        }
        say(`round ${round}: ${[...rates].map(([name, all]) => `${name} ${Math.round(all.at(-1) ?? 0)}/s`).join(', ')}`)
      }
      const rate = (name: Name) => median(rates.get(name) ?? [])
      const noise = [...rates].map(([name, all]) => `${name} ${Math.round(spread(all) * 100)} %`)
      return {
        rows: [
          ...ALL.map((name) => ({ name: NAMES[name], value: rate(name), unit: 'mails/s' })),
          ...(cpu_ms.length > 0 ? [{ name: 'ours, CPU for 1,000 mails', value: median(cpu_ms), unit: 'ms' }] : []),
          { name: 'ours, SQL for 1,000 mails', value: median(statements), unit: 'statements' },
        ],
        ratios: {
          vs_sequential: rate('ours') / rate('sequential'),
          vs_4_at_a_time: rate('ours') / rate('lanes'),
          vs_limit: rate('ours') / rate('ready'),
        },
        notes: [
          `${recipients} recipients, ${Math.round(bytes / 1000)} kB a request, to an endpoint that answers 200 after ${LATENCY} ms and looks at no signature; median of ${rounds} rounds in turn.`,
          'The script: nodemailer composes the rendered mail, aws4fetch signs it, Node sends it; it records nothing. Ours renders, composes, signs and records.',
          `One invocation of ours has ${IN_FLIGHT} requests under way, and wrangler runs one at a time. Deployed there are up to ten, so this rate is that of one.`,
          'CPU and SQL as in the case "send".',
          `Spread of the rounds (largest less smallest): ${noise.join(', ')}.`,
        ],
      }
    },
  )
}
