import { type ChildProcess, fork } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { SinkCounts, SinkNews, SinkOrder } from './sink.ts'

/** A run that has sent nothing for so long will not end any more. In ms. */
const STANDSTILL = 30_000
/** A mail too many would come within this time after the last one. In ms. */
const AFTERMATH = 300

export interface Sink {
  port: number
  /**
   * Has the sink count from zero, calls `send`, and waits for the last mail.
   *
   * @param expected - mails, each to a recipient of its own
   * @param round_trip - ms that the sink is away; 0 when left out
   * @returns ms from the call of `send` to the sink's last acceptance, and the mails' mean size in bytes
   * @throws when other than exactly these mails arrived, or none for half a minute
   */
  measure(expected: number, send: () => Promise<unknown>, round_trip?: number): Promise<{ ms: number; bytes: number }>
  stop(): void
}

/** @param script - what takes the mails and speaks the sink's messages: a file beside this one */
export async function startSink(script: 'sink.ts' | 'ses-sink.ts'): Promise<Sink> {
  const child = fork(fileURLToPath(new URL(script, import.meta.url)))
  const { port } = await news(child, 'port')
  const order = (what: SinkOrder) => child.send(what)
  const report = async () => {
    const answer = news(child, 'counts')
    order('report')
    return (await answer).counts
  }

  return {
    port,
    async measure(expected, send, round_trip = 0) {
      order({ start: expected, round_trip })
      await report()
      const complete = news(child, 'complete')
      const over = new AbortController()
      const began = Date.now()
      const sending = send()
      const last_at = await Promise.race([
        complete.then(async (it) => {
          await sending
          return it.complete.last_at
        }),
        sending.then(() => new Promise<never>(() => {})),
        standstill(report, expected, over.signal),
      ]).finally(() => over.abort())
      await sleep(AFTERMATH)
      const { accepted, unique, bytes } = await report()
      if (accepted !== expected || unique !== expected) {
        throw new Error(`the sink took ${accepted} mails to ${unique} recipients, and ${expected} were to be sent`)
      }
      return { ms: last_at - began, bytes: bytes / expected }
    },
    stop: () => void child.disconnect(),
  }
}

/** Rejects when nothing more arrives. */
async function standstill(report: () => Promise<SinkCounts>, expected: number, over: AbortSignal): Promise<never> {
  for (let before = -1; ; ) {
    await sleep(STANDSTILL, undefined, { signal: over })
    const { accepted } = await report()
    if (accepted === before) throw new Error(`the sink has ${accepted} of ${expected} mails and gets no more`)
    before = accepted
  }
}

type News<Kind> = Extract<SinkNews, Record<Kind & string, unknown>>

function news<Kind extends 'port' | 'complete' | 'counts'>(child: ChildProcess, kind: Kind): Promise<News<Kind>> {
  return new Promise((resolve, reject) => {
    const gone = () => reject(new Error('the sink ended'))
    const listen = (message: SinkNews) => {
      if (!(kind in message)) return
      child.off('message', listen)
      child.off('exit', gone)
      resolve(message as News<Kind>)
    }
    child.on('message', listen)
    child.once('exit', gone)
  })
}
