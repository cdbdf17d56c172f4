// A campaign from `POST /send` to the sink's last 250: the kit as it stands (queue, ledger, rendering, tracking) against
// senders that get their mails rendered and have no record to keep.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startKit } from '../kit.ts'
import { type Findings, median, spread } from '../result.ts'
import { forkRival, type Rival } from '../rivals/rival.ts'
import { startWorkerMailer } from '../rivals/worker-mailer.ts'
import type { Options } from '../run.ts'
import { writeSamples } from '../samples.ts'
import { startSink } from '../sink-process.ts'

/** Everybody sends so many mails before the first that count: their code is warm then. */
const WARM_UP = 500

const NAMES = {
  ours: 'ours, from POST /send to the last mail',
  nodemailer: 'nodemailer, 5 pooled connections',
  worker_mailer: 'worker-mailer in workerd, 4 connections',
  raw_1: 'limit: ready messages, 1 socket',
  raw_5: 'limit: ready messages, 5 sockets',
}
type Name = keyof typeof NAMES

export async function benchSend({ recipients, rounds, say }: Options): Promise<Findings> {
  const dir = mkdtempSync(join(tmpdir(), 'emk-bench-'))
  let failed = false
  const ends: (() => Promise<void> | void)[] = [
    () => {
      if (!failed) rmSync(dir, { recursive: true, force: true })
    },
  ]
  const warm_up = Math.min(WARM_UP, recipients)
  try {
    const sink = await startSink()
    ends.push(sink.stop)
    say('starting the stack and importing the subscribers')
    const kit = await startKit(join(dir, 'stack'), sink.port)
    ends.push(kit.stop)
    const ours = async (count: number) => {
      const campaign = await kit.campaign(count)
      const measured = await sink.measure(count, campaign.send)
      await kit.finished(campaign.id, count)
      return { ...measured, id: campaign.id }
    }

    say('warming up')
    await ours(warm_up)
    const { id, bytes } = await ours(recipients)
    const samples = join(dir, 'samples.json')
    await writeSamples(samples, kit.database_url, id)
    const port = String(sink.port)
    const rivals: Record<Exclude<Name, 'ours'>, Rival> = {
      nodemailer: forkRival('nodemailer.ts', [samples, port]),
      worker_mailer: await startWorkerMailer(dir, samples, sink.port),
      raw_1: forkRival('raw-socket.ts', [samples, port, '1']),
      raw_5: forkRival('raw-socket.ts', [samples, port, '5']),
    }
    ends.push(...Object.values(rivals).map((rival) => rival.stop))
    for (const rival of Object.values(rivals)) await sink.measure(warm_up, () => rival.send(warm_up))

    const rates = new Map<Name, number[]>(Object.keys(NAMES).map((name) => [name as Name, []]))
    for (let round = 1; round <= rounds; round++) {
      for (const [name, all] of rates) {
        const sending =
          name === 'ours' ? ours(recipients) : sink.measure(recipients, () => rivals[name].send(recipients))
        const { ms } = await sending.catch((error: Error) => Promise.reject(new Error(`${name}: ${error.message}`)))
        all.push((recipients / ms) * 1000)
      }
      say(`round ${round}: ${[...rates].map(([name, all]) => `${name} ${Math.round(all.at(-1) ?? 0)}/s`).join(', ')}`)
    }
    return findings(rates, { recipients, rounds, bytes })
  } catch (error) {
    failed = true
    say(`the Workers' log and all data are left in ${dir}`)
    throw error
  } finally {
    for (const end of ends.reverse()) await end()
  }
}

function findings(
  rates: ReadonlyMap<Name, number[]>,
  { recipients, rounds, bytes }: { recipients: number; rounds: number; bytes: number },
): Findings {
  const rate = (name: Name) => median(rates.get(name) ?? [])
  const noise = [...rates].map(([name, all]) => `${name} ${Math.round(spread(all) * 100)} %`)
  return {
    rows: [...rates.keys()].map((name) => ({ name: NAMES[name], value: rate(name), unit: 'mails/s' })),
    ratios: {
      vs_nodemailer: rate('ours') / rate('nodemailer'),
      vs_worker_mailer: rate('ours') / rate('worker_mailer'),
      vs_limit: rate('ours') / Math.max(rate('raw_1'), rate('raw_5')),
    },
    notes: [
      `${recipients} recipients, ${Math.round(bytes / 1000)} kB a mail, over loopback to a sink that keeps nothing; median of ${rounds} rounds in turn.`,
      'Ours renders each mail and records each outcome; the others get their mails rendered and record nothing.',
      `Spread of the rounds (largest less smallest): ${noise.join(', ')}.`,
    ],
  }
}
