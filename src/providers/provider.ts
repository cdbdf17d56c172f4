// The contract between the send loop and whatever carries the mail. One file per implementation stands beside this one.
import type { SendingDomain } from './sending-domain.ts'

/** One mail to one recipient, complete: rendered, addressed, with its tracking already in it. */
export interface Mail {
  campaign_id: number
  subscriber_id: number
  from: Mailbox
  to: Mailbox
  reply_to: string | null
  subject: string
  html: string
  text: string
  /** Without angle brackets; the same for every attempt at the same recipient. */
  message_id: string
  /** Moment of this attempt. */
  date: Date
  /** List-Unsubscribe and the like, in order; names and values are checked against injection by whoever writes them. */
  headers: readonly (readonly [name: string, value: string])[]
  /** Bounces go here (SMTP MAIL FROM). */
  envelope_from: string
}

export interface Mailbox {
  email: string
  name: string | null
}

/**
 * What became of one mail.
 * - `sent`: the provider took responsibility.
 * - `later`: surely not sent, worth another try; `delay_seconds` is the provider's own hint. `throttled` says that the account
 *   sends too fast or too much (429, 421, 454): it is the account that must slow down. `untried` says that the mail was never
 *   offered (the connection was gone before its turn): it costs no attempt. `silent` says that no answer came (refused, lost
 *   or too slow) while this mail, or the connection itself, was under way; what makes a server hang up may be the mail, so
 *   this does cost an attempt.
 * - `never`: surely not sent and never will be to this recipient; `dead` says the address itself does not exist, `policy` that
 *   it was refused for what we are or send (5.7.x, reputation), which says nothing about the address.
 * - `stop`: surely not sent because of account or configuration; every other mail would fare the same.
 * - `unknown`: it left and no answer came. Never retried, never failed over.
 */
export type Outcome =
  | { kind: 'sent'; answer: string; provider_message_id?: string }
  | { kind: 'later'; answer: string; delay_seconds?: number; throttled?: true; untried?: true; silent?: true }
  | { kind: 'never'; answer: string; dead: boolean; policy?: true }
  | { kind: 'stop'; answer: string }
  | { kind: 'unknown'; answer: string }

/** What a service says this account may send. */
export interface Quota {
  rate_per_second: number
  /** Over any 24 hours. */
  per_day: number
  /** In the last 24 hours, by this account over every way it is used. */
  sent_last_day: number
}

/**
 * What one invocation may have open at once, shared by all that sends in it. The platform gives an invocation six
 * connections for everything, SQL, Redis and the gate included, and silently queues what is over: a request queued there
 * would look like one whose answer is late.
 */
export interface Slots {
  /** Waits for a slot. @returns gives it back; calling it again does nothing */
  take(): Promise<() => void>
}

/** A sending service under one account. `Prepared` is the service's own form of a mail, ready for the wire. */
export interface Provider<Prepared = unknown> {
  /**
   * Everything that takes CPU, done before the ledger marks the mail as being sent.
   * @throws {UnsendableMail} when this mail can never be sent as it is
   */
  prepare(mail: Mail): Prepared
  /**
   * Opens what sending needs (a connection and login for SMTP, which holds one slot until it is closed; nothing for HTTP
   * services, which take a slot for each request).
   * @param slots what this invocation may have open at once
   * @param envelope_from whose mail it will be; SMTP greets with its domain unless the account says otherwise
   * @throws {ConnectionRefused} with the outcome every waiting mail shares: `later` or `stop`
   */
  connect(slots: Slots, envelope_from?: string): Promise<Connection<Prepared>>
  /** What the service says this account may send; null when it does not say. Only some have it. Never throws. */
  quota?(): Promise<Quota | null>
  /**
   * Tries the account without a mail: connection and login, and what the service says of it. Never throws.
   * @param slots what this invocation may have open at once
   */
  test?(slots: Slots): Promise<Trial>
  /**
   * What the service holds of a domain that mail is sent from: its keys and return path. Never throws.
   * @returns null when it cannot be asked, or the key may not ask
   */
  sendingDomain?(domain: string, slots: Slots): Promise<SendingDomain | null>
}

/** How an account fared that was tried without a mail. */
export interface Trial {
  ok: boolean
  /** What it answered, for a person to read. */
  answer: string
  /** It works, but not for everything. */
  warning?: string
}

export interface Connection<Prepared = unknown> {
  /** False once it can carry no further mail: whoever has more to send connects again. */
  readonly usable: boolean
  /**
   * Sends a group and says what became of each mail, in the same order. Never throws and never hangs: what has no
   * answer at `deadline` (ms since 1970) is `unknown` if it may have left, else `later`.
   */
  send(group: readonly Prepared[], deadline: number): Promise<Outcome[]>
  close(): Promise<void>
}

/** This mail cannot be put on the wire (an address or header that no server would take). The answer names the part. */
export class UnsendableMail extends Error {
  override name = 'UnsendableMail'
}

/** No connection: nothing was sent. */
export class ConnectionRefused extends Error {
  override name = 'ConnectionRefused'
  readonly outcome: Extract<Outcome, { kind: 'later' | 'stop' }>
  constructor(outcome: Extract<Outcome, { kind: 'later' | 'stop' }>) {
    super(outcome.answer)
    this.outcome = outcome
  }
}
