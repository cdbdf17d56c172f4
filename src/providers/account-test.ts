import type { Provider, Trial } from './provider.ts'
import type { SendingDomain } from './sending-domain.ts'
import { openSlots } from './slots.ts'

/** How an account fared. */
export interface AccountTest extends Trial {
  name: string
}

/** Longest wait for one account, ms: whoever asks waits, and has other things to look at. */
const PATIENCE = 12_000

/** Tries all accounts at once, as far as the connections of one invocation go. Never throws. */
export function testAccounts(accounts: readonly Named[], patience = PATIENCE): Promise<AccountTest[]> {
  const slots = openSlots()
  return Promise.all(
    accounts.map(async ({ name, provider }) => {
      const late: Trial = { ok: false, answer: 'no answer in time' }
      const trial = provider.test ? await within(patience, late, provider.test(slots)) : UNTRIED
      return { name, ...trial }
    }),
  )
}

/** What each account's service holds of a domain; null where it cannot be asked. Never throws. */
export function sendingDomains(
  accounts: readonly Named[],
  domain: string,
): Promise<{ name: string; held: SendingDomain | null }[]> {
  const slots = openSlots()
  return Promise.all(
    accounts.map(async ({ name, provider }) => {
      const held = provider.sendingDomain ? await within(PATIENCE, null, provider.sendingDomain(domain, slots)) : null
      return { name, held }
    }),
  )
}

interface Named {
  name: string
  provider: Provider
}

const UNTRIED: Trial = { ok: true, answer: 'cannot be tried without a mail' }

/** @param late - the answer when there is none after so many ms */
async function within<Answer>(ms: number, late: Answer, asked: Promise<Answer>): Promise<Answer> {
  const over = new AbortController()
  const ended = new Promise<Answer>((resolve) => {
    const timer = setTimeout(() => resolve(late), ms)
    over.signal.addEventListener('abort', () => clearTimeout(timer))
  })
  const answer = await Promise.race([asked, ended])
  over.abort()
  return answer
}
