// A group of mails over one session. The state machine stays whole: which replies are owed, and what a lost connection
// means for each mail, can only be seen together.

import type { Outcome } from '../provider.ts'
import { outcomeOf, type Stage } from './outcome.ts'
import { ConnectionLost, type Reply, replyText } from './reply.ts'
import type { Session } from './session.ts'

/** A mail in the form it goes on the wire. */
export interface SmtpMail {
  envelope_from: string
  envelope_to: string
  /** As the caller spelled it, if that differs: taken out of answers too. */
  recipient: string
  needs_smtputf8: boolean
  /** Octets of the message before dot-stuffing, for SIZE. */
  size: number
  /** The message with its final dot. */
  data: Uint8Array
}

const encoder = new TextEncoder()
const LONE_DOT = encoder.encode('.\r\n')

/** Where a group stands, for when the connection is lost. */
interface Open {
  /** Index of the mail whose final dot may be out while its reply is not in; -1 for none. */
  index: number
  /**
   * Index of the mail whose commands the server was answering. It counts as tried: there are servers that drop the
   * connection over one recipient, and a mail that costs no attempt would do so for ever.
   */
  asked: number
}

/** The server ended the session (421): nothing more goes over it. */
class SessionEnded extends Error {}

/** One session's sending side. After `alive` turns false every further mail is `later`. */
export class Transactions {
  alive = true
  readonly #session: Session
  /** A refused transaction may still be open on the server: RSET goes before the next MAIL. */
  #reset = false

  constructor(session: Session) {
    this.#session = session
  }

  /** Never throws. @param deadline ms since 1970, for the whole group */
  async send(group: readonly SmtpMail[], deadline: number): Promise<Outcome[]> {
    const outcomes: (Outcome | undefined)[] = group.map((mail) => this.#unsendable(mail))
    let lost = 'the connection was lost before this mail'
    const open: Open = { index: -1, asked: -1 }
    if (this.alive) {
      this.#session.wire.deadline = deadline
      try {
        if (this.#session.capabilities.pipelining) await this.#pipelined(group, outcomes, open)
        else await this.#inTurn(group, outcomes, open)
        this.#session.wire.rest()
      } catch (error) {
        this.alive = false
        this.#session.wire.drop()
        lost = error instanceof Error ? error.message : String(error)
      }
    }
    return outcomes.map((outcome, index) => {
      if (outcome !== undefined) return outcome
      if (index === open.index) return { kind: 'unknown', answer: lost }
      return index === open.asked
        ? { kind: 'later', answer: lost, silent: true }
        : { kind: 'later', answer: lost, untried: true }
    })
  }

  /** RFC 2920: the body of one mail and MAIL, RCPT, DATA of the next are one group; each group is one round trip. */
  async #pipelined(group: readonly SmtpMail[], outcomes: (Outcome | undefined)[], open: Open) {
    const { wire } = this.#session
    /** What the server waits for after its 354, and whose it is; `null` = nobody's, the lone dot. */
    let body: { data: Uint8Array; index: number | null } | null = null
    for (let i = 0; i <= group.length; i++) {
      const mail = i < group.length && outcomes[i] === undefined ? group[i] : undefined
      if (mail === undefined && (body === null || i < group.length)) continue
      const reset = mail !== undefined && this.#reset
      const commands = mail === undefined ? '' : `${reset ? 'RSET\r\n' : ''}${this.#mailAndRcpt(mail)}DATA\r\n`
      wire.write(joined(body?.data ?? null, commands))
      if (body?.index != null) open.index = body.index
      if (body !== null) {
        const reply = await wire.read()
        if (body.index !== null) this.#settle(reply, 'dot', group, outcomes, body.index)
        else this.#endsSession(reply)
        open.index = -1
        body = null
      }
      if (mail === undefined) continue
      if (reset) {
        this.#endsSession(await wire.read())
        this.#reset = false
      }
      open.asked = i
      const accepted = this.#settle(await wire.read(), 'mail', group, outcomes, i)
      const taken = this.#settle(await wire.read(), 'rcpt', group, outcomes, i) && accepted
      const data = await wire.read()
      if (data.code === 354) body = taken ? { data: mail.data, index: i } : { data: LONE_DOT, index: null }
      else this.#settle(data, 'data', group, outcomes, i)
      if (!taken || data.code !== 354) this.#reset = true
    }
  }

  /** Without PIPELINING: one command, one reply. */
  async #inTurn(group: readonly SmtpMail[], outcomes: (Outcome | undefined)[], open: Open) {
    const { wire } = this.#session
    for (const [i, mail] of group.entries()) {
      if (outcomes[i] !== undefined) continue
      if (this.#reset) this.#endsSession(await wire.command('RSET'))
      this.#reset = true
      const [mail_from, rcpt_to] = this.#mailAndRcpt(mail).split('\r\n') as [string, string]
      wire.write(`${mail_from}\r\n`)
      open.asked = i
      if (!this.#settle(await wire.read(), 'mail', group, outcomes, i)) continue
      if (!this.#settle(await wire.command(rcpt_to), 'rcpt', group, outcomes, i)) continue
      if (!this.#settle(await wire.command('DATA'), 'data', group, outcomes, i)) continue
      wire.write(mail.data)
      open.index = i
      this.#reset = !this.#settle(await wire.read(), 'dot', group, outcomes, i)
      open.index = -1
    }
  }

  /** Whether the reply lets the mail go on; writes down what became of it otherwise, unless an earlier reply did. */
  #settle(
    reply: Reply,
    stage: Stage,
    group: readonly SmtpMail[],
    outcomes: (Outcome | undefined)[],
    index: number,
  ): boolean {
    const good = stage === 'data' ? reply.code === 354 : reply.code >= 200 && reply.code < 300
    if ((!good || stage === 'dot') && outcomes[index] === undefined) {
      const mail = group[index]
      outcomes[index] = outcomeOf(reply, stage, mail?.envelope_to ?? '', mail?.recipient ?? '')
    }
    this.#endsSession(reply)
    // A positive reply of the wrong kind: client and server no longer agree on whose turn it is.
    if (!good && reply.code < 400) throw new ConnectionLost(`out of step: ${reply.code}`)
    return good
  }

  #endsSession(reply: Reply): void {
    if (reply.code === 421) throw new SessionEnded(replyText(reply).slice(0, 200))
  }

  #mailAndRcpt(mail: SmtpMail): string {
    const { size, smtputf8, eight_bit_mime } = this.#session.capabilities
    let mail_from = `MAIL FROM:<${mail.envelope_from}>`
    if (size) mail_from += ` SIZE=${mail.size}`
    if (mail.needs_smtputf8 && eight_bit_mime) mail_from += ' BODY=8BITMIME'
    if (mail.needs_smtputf8 && smtputf8) mail_from += ' SMTPUTF8'
    return `${mail_from}\r\nRCPT TO:<${mail.envelope_to}>\r\n`
  }

  /** What the server's EHLO already rules out. */
  #unsendable(mail: SmtpMail): Outcome | undefined {
    const { max_size, smtputf8 } = this.#session.capabilities
    if (max_size > 0 && mail.size > max_size) {
      return { kind: 'never', answer: `${mail.size} octets; the server takes ${max_size}`, dead: false }
    }
    if (mail.needs_smtputf8 && !smtputf8) {
      return { kind: 'never', answer: 'the address needs SMTPUTF8, which the server does not offer', dead: false }
    }
    return undefined
  }
}

function joined(data: Uint8Array | null, commands: string): Uint8Array {
  if (data === null) return encoder.encode(commands)
  const out = new Uint8Array(data.length + commands.length * 3)
  out.set(data)
  return out.subarray(0, data.length + encoder.encodeInto(commands, out.subarray(data.length)).written)
}
