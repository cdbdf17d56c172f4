import { log } from '../log.ts'
import { type Connection, ConnectionRefused, type Outcome, UnsendableMail } from '../providers/provider.ts'
import { backoff } from '../sending/backoff.ts'
import { type Gate, type PriorityGate, returnPermit, waitForPermit } from '../sending/permit.ts'
import type { Sender, SendingAccount } from '../sending/sender.ts'
import { type MailVerdict, markMails, type OpenMail, recordMails } from './record.ts'

/** What sending single mails needs: the same account and provider as campaigns, and their gate, ahead of them. */
export interface TransactionalSender
  extends Pick<Sender, 'db' | 'allowlist' | 'sending' | 'settings' | 'account' | 'now' | 'random' | 'uuid' | 'sleep'> {
  gate: (account: string) => PriorityGate
}

/** All connections were taken: the next one is kept for us a little longer than this. In seconds. */
const COME_BACK = 5
/** A record that fails is tried again for so many times, with a second in between. */
const RECORD_ATTEMPTS = 60

interface Ready {
  mail: OpenMail
  prepared: unknown
}

/**
 * Sends mails that are due through one account: permit, connection, then mark, send, record.
 *
 * @param name - as the mails' sender names the account; null for the first one
 * @returns seconds after which those that are not over come back, by id
 */
export async function carryMails(
  s: TransactionalSender,
  name: string | null,
  mails: readonly OpenMail[],
): Promise<Map<number, number>> {
  const token = s.uuid()
  const account = s.account(name)
  if (!account) {
    const answer = `No sending account is named "${name ?? ''}".`
    return record(
      s,
      token,
      mails.map((mail) => over(mail, 'failed', 'no_account', answer)),
    )
  }
  const { ready, verdicts } = prepareMails(s, account, mails)
  const waits = await record(s, token, verdicts)
  if (ready.length === 0) return waits
  const gate = s.gate(account.name)
  const permit = await waitForPermit(aheadOf(gate), ready.length, account.limits, s.now, s.sleep)
  if (!permit) return new Map([...waits, ...ready.map(({ mail }) => [mail.id, COME_BACK] as const)])
  try {
    return new Map([...waits, ...(await send(s, account, token, ready))])
  } finally {
    await returnPermit(gate, permit.id, 0, account.limits)
  }
}

/** The same gate, past the campaigns. It is a Durable Object's stub: whatever is read of it is a call. */
const aheadOf = (gate: PriorityGate): Gate => ({
  take: (mails, limits) => gate.takeAhead(mails, limits),
  giveBack: (id, unused, limits) => gate.giveBack(id, unused, limits),
})

/** Gives each mail its form for the wire; what cannot be sent as it is is over before it is marked. */
function prepareMails(s: TransactionalSender, account: SendingAccount, mails: readonly OpenMail[]) {
  const ready: Ready[] = []
  const verdicts: MailVerdict[] = []
  for (const mail of mails) {
    if (!s.allowlist(mail.email)) {
      verdicts.push(over(mail, 'skipped', 'not_in_allowlist', null))
      continue
    }
    const { account: _, ...content } = mail.content
    const domain = content.from.email.slice(content.from.email.lastIndexOf('@') + 1)
    try {
      const prepared = account.provider.prepare({
        ...content,
        to: { email: mail.email, name: null },
        message_id: `mail-${mail.id}@${domain}`,
        date: s.now(),
      })
      ready.push({ mail, prepared })
    } catch (error) {
      if (!(error instanceof UnsendableMail)) throw error
      verdicts.push(over(mail, 'failed', 'not_sendable', error.message.replaceAll(mail.email, '<recipient>')))
    }
  }
  return { ready, verdicts }
}

/** In groups that the account's rate allows at once; each is recorded before the next is marked. */
async function send(s: TransactionalSender, account: SendingAccount, token: string, ready: readonly Ready[]) {
  const { rate_per_second } = account.limits
  const size = rate_per_second === null ? ready.length : Math.max(1, Math.floor(rate_per_second))
  const waits = new Map<number, number>()
  let connection: Connection | null = null
  let at = 0
  try {
    for (; at < ready.length; at += size) {
      if (at > 0 && rate_per_second !== null) await s.sleep((size / rate_per_second) * 1000)
      const group = ready.slice(at, at + size)
      if (!connection?.usable) {
        await connection?.close()
        connection = await account.provider.connect(group[0]?.mail.content.envelope_from)
      }
      for (const [id, seconds] of await sendGroup(s, account, token, group, connection)) waits.set(id, seconds)
    }
    return waits
  } catch (error) {
    if (!(error instanceof ConnectionRefused)) throw error
    const verdicts = ready.slice(at).map(({ mail }) => judge(mail, error.outcome, s.random()))
    return new Map([...waits, ...(await record(s, token, verdicts))])
  } finally {
    await connection?.close()
  }
}

async function sendGroup(
  s: TransactionalSender,
  account: SendingAccount,
  token: string,
  group: readonly Ready[],
  connection: Connection,
) {
  const { lease_seconds, group_seconds } = s.settings
  const ids = group.map(({ mail }) => mail.id)
  const marked = await markMails(s.db, { ids, token, account: account.name, lease_seconds })
  const going = group.filter(({ mail }) => marked.has(mail.id))
  if (going.length === 0) return new Map<number, number>()
  const outcomes = await connection.send(
    going.map(({ prepared }) => prepared),
    s.now().getTime() + group_seconds * 1000,
  )
  return record(
    s,
    token,
    going.map(({ mail }, i) => {
      const outcome = outcomes[i] ?? { kind: 'unknown', answer: 'the provider gave no outcome' }
      return judge(mail, outcome, s.random())
    }),
  )
}

const over = (
  { id }: OpenMail,
  state: MailVerdict['state'],
  reason: string | null,
  answer: string | null,
): MailVerdict => ({ id, state, reason, answer, delay_seconds: null, provider_message_id: null })

/** What a provider's outcome means. There is no campaign to pause: an account at fault is this mail's answer. */
function judge(mail: OpenMail, outcome: Outcome, random: number): MailVerdict {
  const { answer } = outcome
  switch (outcome.kind) {
    case 'sent':
      return { ...over(mail, 'sent', null, answer), provider_message_id: outcome.provider_message_id ?? null }
    case 'never':
      return over(mail, 'failed', outcome.dead ? 'no_such_address' : 'refused', answer)
    case 'stop':
      return over(mail, 'failed', 'account_refused', answer)
    case 'unknown':
      return over(mail, 'unconfirmed', 'no_answer', answer)
    case 'later': {
      const delay_seconds = backoff(mail.attempts + 1, outcome.delay_seconds, random)
      if (delay_seconds === null) return over(mail, 'failed', 'gave_up', answer)
      return { ...over(mail, 'queued', 'try_again', answer), delay_seconds }
    }
  }
}

/** Writes down what became of mails, as long as it takes. @returns seconds until those that are not over are due */
async function record(s: TransactionalSender, token: string, verdicts: readonly MailVerdict[]) {
  for (let attempt = 1; ; attempt++) {
    try {
      await recordMails(s.db, token, verdicts)
      break
    } catch (error) {
      if (attempt >= RECORD_ATTEMPTS) throw error
      log('transactional_record_retried', { mails: verdicts.length, attempt })
      await s.sleep(1000)
    }
  }
  return new Map(
    verdicts.flatMap(({ id, state, delay_seconds }) => (state === 'queued' ? [[id, delay_seconds ?? 0] as const] : [])),
  )
}
