import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** Another way to send the same mails. */
export interface Rival {
  /** Sends the first `count` mails. */
  send(count: number): Promise<void>
  stop(): Promise<void> | void
}

/** What a rival in a process of its own is told and answers: how many mails to send, and that they are sent. */
export type RivalOrder = { count: number }
export type RivalAnswer = { done: true } | { error: string }

/** @param script - file beside this one, which calls `obey` */
export function forkRival(script: string, args: string[]): Rival {
  const child: ChildProcess = fork(fileURLToPath(new URL(script, import.meta.url)), args)
  return {
    send: (count) =>
      new Promise((resolve, reject) => {
        const gone = () => reject(new Error(`${script} ended`))
        child.once('exit', gone)
        child.once('message', (answer: RivalAnswer) => {
          child.off('exit', gone)
          if ('error' in answer) reject(new Error(`${script}: ${answer.error}`))
          else resolve()
        })
        child.send({ count } satisfies RivalOrder)
      }),
    stop: () => child.disconnect(),
  }
}

/** The other end of `forkRival`. */
export function obey(send: (count: number) => Promise<void>): void {
  process.on('message', ({ count }: RivalOrder) => {
    send(count).then(
      () => process.send?.({ done: true } satisfies RivalAnswer),
      (error) => process.send?.({ error: String(error) } satisfies RivalAnswer),
    )
  })
  process.on('disconnect', () => process.exit())
}
