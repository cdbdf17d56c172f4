import type { Provider, Trial } from './provider.ts'
import { openSlots } from './slots.ts'

/** How an account fared. */
export interface AccountTest extends Trial {
  name: string
}

/** Longest wait for one account, ms: whoever asks waits, and has other things to look at. */
const PATIENCE = 12_000

/** Tries all accounts at once, as far as the connections of one invocation go. Never throws. */
export async function testAccounts(
  accounts: readonly { name: string; provider: Provider }[],
  patience = PATIENCE,
): Promise<AccountTest[]> {
  const slots = openSlots()
  return await Promise.all(
    accounts.map(async ({ name, provider }) => {
      const late = new AbortController()
      const trial = await Promise.race([
        provider.test?.(slots) ?? { ok: true, answer: 'cannot be tried without a mail' },
        after(patience, late.signal),
      ])
      late.abort()
      return { name, ...trial }
    }),
  )
}

const after = (ms: number, signal: AbortSignal) =>
  new Promise<Trial>((resolve) => {
    const timer = setTimeout(() => resolve({ ok: false, answer: 'no answer in time' }), ms)
    signal.addEventListener('abort', () => clearTimeout(timer))
  })
