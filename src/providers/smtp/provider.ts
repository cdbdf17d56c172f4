import { dkimSigners, signMessage } from '../../mime/dkim.ts'
import { buildMessage } from '../../mime/message.ts'
import type { SmtpAccount } from '../account.ts'
import { type Connection, ConnectionRefused, type Provider } from '../provider.ts'
import { wireData } from './data.ts'
import { openSession, type Session } from './session.ts'
import { type SmtpMail, Transactions } from './transaction.ts'
import type { OpenSocket } from './wire.ts'

/** Longest wait for one answer, ms. RFC 5321 4.5.3.2 allows minutes; a group's deadline cuts in before. */
const PATIENCE = 30_000
/** Longest time from connection to login, ms. */
const HANDSHAKE = 30_000
/** How long QUIT may take, ms: politeness, nothing depends on it. */
const GOODBYE = 1_000

export interface SmtpTimes {
  patience?: number
  handshake?: number
}

/** Mail by SMTP submission over one connection per `connect()`. @param open `connect` of cloudflare:sockets */
export function smtpProvider(account: SmtpAccount, open: OpenSocket, times: SmtpTimes = {}): Provider<SmtpMail> {
  const signers = dkimSigners(account.dkim ?? [])
  const provider: Provider<SmtpMail> = {
    prepare(mail) {
      const message = buildMessage(mail)
      const bytes = signMessage(message.bytes, message.from_domain, signers, mail.date)
      return {
        envelope_from: message.envelope_from,
        envelope_to: message.envelope_to,
        recipient: mail.to.email,
        needs_smtputf8: message.needs_smtputf8,
        size: bytes.length,
        data: wireData(bytes),
      }
    },

    async connect(slots, envelope_from) {
      const free = await slots.take()
      let session: Session
      try {
        session = await openSession(account, {
          open,
          ehlo_name: account.ehlo_name ?? ehloName(envelope_from ?? account.username ?? ''),
          patience: times.patience ?? PATIENCE,
          handshake: times.handshake ?? HANDSHAKE,
        })
      } catch (error) {
        free()
        throw error
      }
      const transactions = new Transactions(session)
      const connection: Connection<SmtpMail> = {
        get usable() {
          return transactions.alive
        },
        async send(group, deadline) {
          const outcomes = await transactions.send(group, deadline)
          // Nothing more goes over a lost connection: others need not wait for whoever has it to close it.
          if (!transactions.alive) free()
          return outcomes
        },
        async close() {
          if (transactions.alive) {
            transactions.alive = false
            session.wire.deadline = Date.now() + GOODBYE
            await session.wire.command('QUIT').catch(() => {})
          }
          session.wire.drop()
          free()
        },
      }
      return connection
    },

    async test(slots) {
      try {
        const connection = await provider.connect(slots, account.bounce_domain && `test@${account.bounce_domain}`)
        await connection.close()
      } catch (error) {
        if (error instanceof ConnectionRefused) return { ok: false, answer: error.outcome.answer }
        throw error
      }
      const login = account.username === undefined ? 'without login' : 'logged in'
      const answer = `${account.host}:${account.port} is ready, ${TLS[account.tls]}, ${login}`
      if (account.tls !== 'none' || LOOPBACK.has(account.host)) return { ok: true, answer }
      return { ok: true, answer, warning: `${answer}: whoever is on the way can read and change all of it` }
    },
  }
  return provider
}

/** How the connection is protected, in words. */
const TLS = { implicit: 'with TLS', starttls: 'with STARTTLS', none: 'without TLS' } as const
const LOOPBACK = new Set(['127.0.0.1', 'localhost'])

/** The domain of an address; a Worker has no host name of its own, so without one it is an address literal (RFC 5321 4.1.4). */
function ehloName(address: string): string {
  const domain = address.slice(address.lastIndexOf('@') + 1)
  return address.includes('@') && /^[A-Za-z0-9.-]+$/.test(domain) ? domain : '[127.0.0.1]'
}
