import { log } from '../log.ts'
import { type Connection, ConnectionRefused, type Outcome, type Slots, UnsendableMail } from '../providers/provider.ts'
import { openSlots } from '../providers/slots.ts'
import { backoff } from '../sending/backoff.ts'
import { findPermit, takeover } from '../sending/choose.ts'
import { envelopeFrom } from '../sending/compose.ts'
import { asFailedConnection, stopOf, tally } from '../sending/health.ts'
import { type Permit, type Report, returnPermit } from '../sending/permit.ts'
import type { Sender, SendingAccount } from '../sending/sender.ts'
import { refusalReason } from '../sending/verdict.ts'
import { type MailVerdict, markMails, type OpenMail, recordMails } from './record.ts'

/** What sending single mails needs: the same accounts as campaigns, and their gates. */
export type TransactionalSender = Pick<
  Sender,
  | 'db'
  | 'signing_keys'
  | 'allowlist'
  | 'sending'
  | 'settings'
  | 'candidates'
  | 'gate'
  | 'now'
  | 'random'
  | 'uuid'
  | 'sleep'
>

/** All connections were taken: the next one is kept for us a little longer than this. In seconds. */
const COME_BACK = 5
/** A statement of the ledger's that fails is tried again for so many times, with a second in between. */
const ATTEMPTS = 60

interface Ready {
  mail: OpenMail
  prepared: unknown
}

/** One account, for as long as it carries mails of one invocation. */
interface Carrying {
  s: TransactionalSender
  accounts: readonly SendingAccount[]
  account: SendingAccount
  token: string
  permit: Permit
  slots: Slots
  report: Report
}

/**
 * Sends mails that are due, from one sender: permit, connection, then mark, send, record. An account that refuses us hands
 * them on to the next of its pool.
 *
 * @param name - as the mails' sender names the account; null for the first one that may
 * @param from_email - whose mails they are
 * @returns seconds after which those that are not over come back, by id
 */
export async function carryMails(
  s: TransactionalSender,
  name: string | null,
  from_email: string,
  mails: readonly OpenMail[],
): Promise<Map<number, number>> {
  const token = s.uuid()
  const accounts = s.candidates(name, from_email)
  if (accounts.length === 0) {
    const answer = `No sending account ${name === null ? '' : `named "${name}" `}may send for this sender.`
    return record(
      s,
      token,
      mails.map((mail) => over(mail, 'failed', 'no_account', answer)),
    )
  }
  const found = await findPermit(s, accounts, { mails: mails.length, ahead: true })
  if (!('permit' in found)) {
    const seconds = found.factor === 'down' || found.factor === 'day' ? Math.ceil(found.wait_ms / 1000) : COME_BACK
    return new Map(mails.map(({ id }) => [id, seconds]))
  }
  const { account, permit } = found
  const report: Report = {
    used: 0,
    sent: 0,
    silent: 0,
    throttled: 0,
    throttled_seconds: null,
    stop: null,
    trouble: null,
  }
  const carrying: Carrying = { s, accounts, account, token, permit, slots: openSlots(), report }
  let waits: Map<number, number>
  try {
    if (permit.starts_in_ms > 0) await s.sleep(permit.starts_in_ms)
    const { ready, verdicts } = await prepareMails(s, account, mails.slice(0, permit.mails))
    waits = await record(s, token, verdicts)
    for (const [id, seconds] of await send(carrying, ready)) waits.set(id, seconds)
  } finally {
    await returnPermit(s.gate(account.name), permit.id, report, account.limits)
  }
  // What the permit did not allow comes back for the next.
  for (const { id } of mails.slice(permit.mails)) waits.set(id, COME_BACK)
  return waits
}

/** Gives each mail its form for the wire; what cannot be sent as it is is over before it is marked. */
async function prepareMails(s: TransactionalSender, account: SendingAccount, mails: readonly OpenMail[]) {
  const ready: Ready[] = []
  const verdicts: MailVerdict[] = []
  for (const mail of mails) {
    if (!s.allowlist(mail.email)) {
      verdicts.push(over(mail, 'skipped', 'not_in_allowlist', null))
      continue
    }
    const { account: _, ...content } = mail.content
    const from_email = content.from.email
    const domain = from_email.slice(from_email.lastIndexOf('@') + 1)
    try {
      const prepared = account.provider.prepare({
        ...content,
        to: { email: mail.email, name: null },
        message_id: `mail-${mail.id}@${domain}`,
        date: s.now(),
        envelope_from: await envelopeFrom(s.signing_keys, account.bounce_domain, { ...content, from_email }),
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
async function send(c: Carrying, ready: readonly Ready[]): Promise<Map<number, number>> {
  const { s, account, slots, report } = c
  const { rate_per_second } = c.permit
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
        connection = await account.provider.connect(slots, group[0]?.mail.content.envelope_from)
      }
      for (const [id, seconds] of await sendGroup(c, group, connection)) waits.set(id, seconds)
    }
    return waits
  } catch (error) {
    if (!(error instanceof ConnectionRefused)) throw error
    const { outcome } = error
    tally(report, [asFailedConnection(outcome)], stopOf([outcome]))
    const left = ready.slice(at)
    return new Map([
      ...waits,
      ...(await conclude(
        c,
        left,
        left.map(() => outcome),
      )),
    ])
  } finally {
    await connection?.close()
  }
}

async function sendGroup(c: Carrying, group: readonly Ready[], connection: Connection) {
  const { s, account, token, report } = c
  const { lease_seconds, group_seconds } = s.settings
  const ids = group.map(({ mail }) => mail.id)
  const deadline = s.now().getTime() + group_seconds * 1000
  const marked = await persist(s, ids.length, () =>
    markMails(s.db, { ids, token, account: account.name, lease_seconds }),
  )
  const going = group.filter(({ mail }) => marked.has(mail.id))
  if (going.length === 0) return new Map<number, number>()
  report.used += going.length
  const given = await connection.send(
    going.map(({ prepared }) => prepared),
    deadline,
  )
  const outcomes = going.map((_, i): Outcome => given[i] ?? { kind: 'unknown', answer: 'the provider gave no outcome' })
  tally(report, outcomes, outcomes.find(({ kind }) => kind === 'stop')?.answer ?? null)
  return conclude(c, going, outcomes)
}

/** Records what became of mails. One that the account refuses goes to the next of its pool, if there is one. */
async function conclude(c: Carrying, mails: readonly Ready[], outcomes: readonly Outcome[]) {
  const { s, accounts, account, token } = c
  const stopped = outcomes.some(({ kind }) => kind === 'stop')
  const next = stopped ? (await takeover(s, accounts, account)).next : null
  const verdicts = mails.map(({ mail }, i) => {
    const outcome = outcomes[i]
    if (outcome === undefined) throw new Error('a mail without an outcome')
    if (outcome.kind !== 'stop' || next === null) return judge(mail, outcome, s.random())
    return { ...over(mail, 'queued', 'try_again', outcome.answer), delay_seconds: 1 }
  })
  return record(s, token, verdicts)
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
      return over(mail, 'failed', refusalReason(outcome), answer)
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

/** Writes down what became of mails. @returns seconds until those that are not over are due */
async function record(s: TransactionalSender, token: string, verdicts: readonly MailVerdict[]) {
  await persist(s, verdicts.length, () => recordMails(s.db, token, verdicts))
  return new Map(
    verdicts.flatMap(({ id, state, delay_seconds }) => (state === 'queued' ? [[id, delay_seconds ?? 0] as const] : [])),
  )
}

/** A mark or record, as long as it takes: repeated, each gives the same. */
async function persist<T>(s: TransactionalSender, mails: number, statement: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await statement()
    } catch (error) {
      if (attempt >= ATTEMPTS) throw error
      log('transactional_record_retried', { mails, attempt })
      await s.sleep(1000)
    }
  }
}
