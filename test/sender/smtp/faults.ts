// The fault server as tests inside workerd reach it.
import { connect } from 'cloudflare:sockets'
import { inject } from 'vitest'
import type { SmtpAccount } from '../../../src/providers/account.ts'
import { type Connection, ConnectionRefused, type Mail, type Outcome } from '../../../src/providers/provider.ts'
import { openSlots } from '../../../src/providers/slots.ts'
import { type SmtpTimes, smtpProvider } from '../../../src/providers/smtp/provider.ts'
import type { SmtpMail } from '../../../src/providers/smtp/transaction.ts'
import { mail } from '../../support/mail.ts'
import type { FaultOptions, FaultSession } from '../../support/smtp-fault-server.ts'

export interface Faults {
  port: number
  sessions(): Promise<FaultSession[]>
}

export async function startFaults(options: FaultOptions = {}): Promise<Faults> {
  const faults = inject('faults')
  const response = await fetch(faults, { method: 'POST', body: JSON.stringify(options) })
  const { port } = await response.json<{ port: number }>()
  return { port, sessions: async () => (await fetch(`${faults}/${port}`)).json() }
}

export function account(port: number, changes: Partial<SmtpAccount> = {}): SmtpAccount {
  return { name: 'faults', kind: 'smtp', host: 'localhost', port, tls: 'none', max_connections: 4, ...changes }
}

/** Times that keep a test of silence short. Others have the real ones: this computer may be busy. */
export const IMPATIENT: SmtpTimes = { patience: 1_000, handshake: 2_000 }

export const provider = (port: number, changes: Partial<SmtpAccount> = {}, times: SmtpTimes = {}) =>
  smtpProvider(account(port, changes), connect, times)

/** One group over one connection, to these recipients (local parts choose the fault). */
export async function sendTo(
  port: number,
  recipients: string[],
  changes: Partial<SmtpAccount> = {},
  deadline = Date.now() + 10_000,
): Promise<Outcome[]> {
  const silent = recipients.some((email) => /^(?:dot)?hang@/.test(email))
  const smtp = provider(port, changes, silent ? IMPATIENT : {})
  const connection = await smtp.connect(openSlots(), 'bounces@sender.example')
  const outcomes = await connection.send(
    recipients.map((email, i) => smtp.prepare(mailTo(email, { subscriber_id: i }))),
    deadline,
  )
  await connection.close()
  return outcomes
}

export const mailTo = (email: string, changes: Partial<Mail> = {}) =>
  mail({ to: { email, name: null }, message_id: `m.${changes.subscriber_id ?? 0}@sender.example`, ...changes })

/** The outcome a refused connection carries. */
export async function refusal(opening: Promise<Connection<SmtpMail>>): Promise<Outcome> {
  try {
    await (await opening).close()
  } catch (error) {
    if (error instanceof ConnectionRefused) return error.outcome
    throw error
  }
  throw new Error('the connection was not refused')
}

export const kinds = (outcomes: Outcome[]) => outcomes.map(({ kind }) => kind)
