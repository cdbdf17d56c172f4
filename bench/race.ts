// One campaign after the other, ours and the rivals', to a sink in its own process.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Kit, startKit } from './kit.ts'
import type { Rival } from './rivals/rival.ts'
import { writeSamples } from './samples.ts'
import { type Sink, startSink } from './sink-process.ts'

/** Everybody sends so many mails before the first that count: their code is warm then. */
const WARM_UP = 500
/** The Workers are watched for so long while nothing is sent. In ms. */
const IDLE = 3000

/** How fast something was sent, and what that took. */
export interface Sent {
  /** Mails a second. */
  rate: number
  /** For each 1,000 mails; null where it cannot be told. Only ours is looked at. */
  cpu_ms: number | null
  statements: number | null
}

export interface Race<Name extends string> {
  /** Bytes of one mail on the wire. */
  bytes: number
  /** @param round_trip - ms that the sink is away */
  send(name: Name | 'ours', recipients: number, round_trip: number): Promise<Sent>
}

export interface RaceOptions<Name extends string> {
  sink: Parameters<typeof startSink>[0]
  /** The account for a sink on this port, as in ACCOUNTS. */
  account: (port: number) => object
  /** Starts the rivals, in a folder that is removed afterwards. */
  rivals: (dir: string, samples_file: string, port: number) => Promise<Record<Name, Rival>>
  /** The most recipients that anybody will send to. */
  recipients: number
  say: (line: string) => void
}

/** Sets everything up, has everybody send something that does not count, and calls `run`. */
export async function race<Name extends string, Result>(
  options: RaceOptions<Name>,
  run: (race: Race<Name>) => Promise<Result>,
): Promise<Result> {
  const { recipients, say } = options
  const dir = mkdtempSync(join(tmpdir(), 'emk-bench-'))
  const warm_up = Math.min(WARM_UP, recipients)
  const ends: (() => Promise<void> | void)[] = []
  try {
    const sink = await startSink(options.sink)
    ends.push(sink.stop)
    say('starting the stack and importing the subscribers')
    const kit = await startKit(join(dir, 'stack'), options.account(sink.port))
    ends.push(kit.stop)
    say('warming up')
    await sendOurs(kit, sink, warm_up, 0, 0)
    const { id, bytes } = await sendOurs(kit, sink, recipients, 0, 0)
    const idle = await idleCpu(kit)
    const samples = join(dir, 'samples.json')
    await writeSamples(samples, kit.database_url, id)
    const rivals = await options.rivals(dir, samples, sink.port)
    ends.push(...Object.values<Rival>(rivals).map((rival) => rival.stop))
    for (const rival of Object.values<Rival>(rivals)) await sink.measure(warm_up, () => rival.send(warm_up))

    const result = await run({
      bytes,
      async send(name, count, round_trip) {
        try {
          if (name === 'ours') return await sendOurs(kit, sink, count, round_trip, idle)
          const { ms } = await sink.measure(count, () => rivals[name].send(count), round_trip)
          return { rate: (count / ms) * 1000, cpu_ms: null, statements: null }
        } catch (error) {
          throw new Error(`${name}: ${error instanceof Error ? error.message : error}`)
        }
      },
    })
    ends.unshift(() => rmSync(dir, { recursive: true, force: true, maxRetries: 5 }))
    return result
  } catch (error) {
    say(`the Workers' log and all data are left in ${dir}`)
    throw error
  } finally {
    for (const end of ends.reverse()) await end()
  }
}

/** @param idle - CPU milliseconds a second that the Workers use when there is nothing to do */
async function sendOurs(
  kit: Kit,
  sink: Sink,
  count: number,
  round_trip: number,
  idle: number,
): Promise<Sent & { id: number; bytes: number }> {
  const campaign = await kit.campaign(count)
  const before = { at: Date.now(), usage: kit.usage(), statements: kit.statements() }
  const { ms, bytes } = await sink.measure(count, campaign.send, round_trip)
  await kit.finished(campaign.id, count)
  const usage = kit.usage()
  const per_thousand = 1000 / count
  const cpu_ms =
    usage && before.usage ? usage.cpu_ms - before.usage.cpu_ms - ((Date.now() - before.at) / 1000) * idle : null
  return {
    id: campaign.id,
    bytes,
    rate: (count / ms) * 1000,
    cpu_ms: cpu_ms === null ? null : cpu_ms * per_thousand,
    statements: (kit.statements() - before.statements) * per_thousand,
  }
}

async function idleCpu(kit: Kit): Promise<number> {
  const before = kit.usage()
  await sleep(IDLE)
  const after = kit.usage()
  return before && after ? ((after.cpu_ms - before.cpu_ms) / IDLE) * 1000 : 0
}
