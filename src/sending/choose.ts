// Which of a mail's accounts carries it now.
import { log } from '../log.ts'
import { type Asking, type NoPermit, type Permit, waitForPermit } from './permit.ts'
import type { Sender, SendingAccount } from './sender.ts'

type Choosing = Pick<Sender, 'gate' | 'now' | 'sleep' | 'settings'>

/**
 * A permit of the first account that is neither down nor at the end of its day. One that is only busy is waited for: its
 * mails leave in the order they were promised.
 *
 * @param accounts - the candidates, the first choice first; at least one
 * @returns the permit, or what holds up the account that is free again first
 */
export async function findPermit(
  s: Choosing,
  accounts: readonly SendingAccount[],
  asking: Pick<Asking, 'mails' | 'ahead'>,
): Promise<{ account: SendingAccount; permit: Permit } | (NoPermit & { account: string })> {
  let soonest: (NoPermit & { account: string }) | null = null
  for (const account of accounts) {
    const gate = s.gate(account.name)
    const hold_ms = s.settings.lease_seconds * 1000
    const answer = await waitForPermit(gate, { ...asking, limits: account.limits, hold_ms }, s.now, s.sleep)
    if ('id' in answer) {
      if (answer.learn) await learnQuota(s, account)
      return { account, permit: answer }
    }
    if (soonest === null || answer.wait_ms < soonest.wait_ms) soonest = { ...answer, account: account.name }
    if (answer.factor !== 'down' && answer.factor !== 'day') break
  }
  if (soonest === null) throw new Error('no account to choose from')
  return soonest
}

/** What the service says it lets us send. It holds nothing up: without an answer our own limits stay. */
async function learnQuota(s: Choosing, account: SendingAccount): Promise<void> {
  const quota = (await account.provider.quota?.()) ?? null
  try {
    await s.gate(account.name).learn(quota)
  } catch {
    log('quota_not_learnt', { account: account.name })
  }
}

/** Accounts that may take over from one that refuses us, and what the others answered that cannot. */
export async function takeover(
  s: Choosing,
  accounts: readonly SendingAccount[],
  failed: SendingAccount,
): Promise<{ next: string | null; reasons: string[] }> {
  const reasons: string[] = []
  for (const account of accounts) {
    if (account.name === failed.name) continue
    try {
      const { down } = await s.gate(account.name).standing(account.limits)
      if (!down) return { next: account.name, reasons }
      reasons.push(`Account ${account.name}: ${down.reason}`)
    } catch {
      reasons.push(`Account ${account.name}: its gate cannot be reached`)
    }
  }
  return { next: null, reasons }
}
