import type { AccountGate, AccountLimits, Permit } from './gate.ts'

/** A batch waits this long for a free connection before it gives its place in the queue back. In ms. */
const PATIENCE = 30_000

/**
 * Asks an account's gate for a connection and the right to send `mails`, waiting a little while all are taken.
 *
 * @returns null when there is none to be had, also when the gate cannot be reached: never unthrottled
 */
export async function waitForPermit(
  gate: Pick<AccountGate, 'take'> | DurableObjectStub<AccountGate>,
  mails: number,
  limits: AccountLimits,
  now: () => Date,
  sleep: (ms: number) => Promise<unknown>,
): Promise<Permit | null> {
  const patience = now().getTime() + PATIENCE
  while (true) {
    const answer = await Promise.resolve(gate.take(mails, limits)).catch(() => null)
    if (!answer) return null
    if ('id' in answer) return answer
    if (now().getTime() + answer.wait_ms > patience) return null
    await sleep(answer.wait_ms)
  }
}
