// A mail server that keeps a journal, takes its time, and has bad days: each fault is dealt to an address beforehand and
// strikes it once (a refusal always).
import { createServer, type Socket } from 'node:net'
import type { MailJournal, Pace } from './mail-journal.ts'

/** Each with its share of the recipients. */
export const SMTP_FAULTS = {
  /** 450 to RCPT. */
  greylisted: 0.04,
  /** 451 after the final dot. */
  put_off: 0.01,
  /** 421 for our speed. Few: after each the account goes at half its rate, and gets a tenth of that back in a minute. */
  throttled: 0.0002,
  /** 421 to RCPT in the middle of a batch, then closed. */
  ended_at_rcpt: 0.005,
  /** 421 after the final dot, then closed. */
  ended_at_dot: 0.005,
  /** Taken, and the connection dropped without an answer. */
  answer_lost: 0.004,
  /** Dropped after the final dot, not taken. */
  mail_lost: 0.002,
  /** 550, always. */
  refused: 0.01,
}
export type SmtpFault = keyof typeof SMTP_FAULTS

const SESSION_OVER = '421 4.3.2 too many messages in this session, closing'

export interface JournalServer {
  port: number
  close(): Promise<void>
}

export async function startJournalSmtp(
  journal: MailJournal,
  pace: Pace,
  faults: Map<string, SmtpFault>,
): Promise<JournalServer> {
  const open = new Set<Socket>()
  const server = createServer({ noDelay: true }, (socket) => {
    open.add(socket)
    socket.on('close', () => open.delete(socket)).on('error', () => {})
    serve(socket, journal, pace, faults)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    close() {
      for (const socket of open) socket.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

/** One session: commands and mails strictly in turn, however they arrive. */
function serve(socket: Socket, journal: MailJournal, pace: Pace, faults: Map<string, SmtpFault>): void {
  let text = ''
  let recipient = ''
  let mode: 'command' | 'data' | 'over' = 'command'
  let busy = false

  const reply = (line: string) => void socket.write(`${line}\r\n`)
  const end = (line: string) => {
    mode = 'over'
    socket.end(`${line}\r\n`)
  }
  /** Strikes if it is this recipient's fault; one that strikes once is gone then. */
  const strikes = (fault: SmtpFault): boolean => {
    if (faults.get(recipient) !== fault) return false
    if (fault !== 'refused') faults.delete(recipient)
    journal.strike(fault)
    return true
  }

  const command = (line: string) => {
    switch (line.slice(0, 4).toUpperCase()) {
      case 'EHLO':
        return reply('250-journal.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 ENHANCEDSTATUSCODES')
      case 'RSET':
      case 'MAIL':
        recipient = ''
        return reply('250 2.1.0 OK')
      case 'RCPT':
        recipient = line.slice(line.indexOf('<') + 1, line.indexOf('>'))
        if (strikes('throttled')) return end('421 4.7.0 too fast, slow down')
        if (strikes('ended_at_rcpt')) return end(SESSION_OVER)
        if (strikes('greylisted')) recipient = reject('450 4.7.1 greylisted, try again later')
        else if (strikes('refused')) {
          journal.refuse(recipient)
          recipient = reject('550 5.1.1 no such user here')
        } else reply('250 2.1.5 OK')
        return
      case 'DATA':
        if (recipient === '') return reply('503 5.5.1 no valid recipients')
        mode = 'data'
        return reply('354 go on')
      case 'NOOP':
        return reply('250 OK')
      case 'QUIT':
        return end('221 2.0.0 bye')
      default:
        return reply('500 5.5.1 unknown')
    }
  }
  const reject = (line: string): string => {
    reply(line)
    return ''
  }

  const received = async (mail: string) => {
    await pace.turn()
    const id = /^Message-ID:\s*<campaign-(\d+\.\d+)@/im.exec(mail)?.[1] ?? ''
    if (strikes('put_off')) return reply('451 4.3.0 try again later')
    if (strikes('ended_at_dot')) return end(SESSION_OVER)
    const lost = strikes('answer_lost')
    if (lost || strikes('mail_lost')) {
      if (lost) journal.take(recipient, id)
      journal.unanswered++
      mode = 'over'
      return void socket.resetAndDestroy()
    }
    journal.take(recipient, id)
    reply('250 2.0.0 taken')
  }

  const next = async () => {
    if (busy) return
    busy = true
    while (mode !== 'over') {
      if (mode === 'data') {
        const dot = text.indexOf('\r\n.\r\n')
        if (dot < 0) break
        const mail = text.slice(0, dot)
        text = text.slice(dot + 5)
        mode = 'command'
        await received(mail)
        continue
      }
      const newline = text.indexOf('\r\n')
      if (newline < 0) break
      const line = text.slice(0, newline)
      text = text.slice(newline + 2)
      command(line)
    }
    busy = false
  }
  reply('220 journal.example ESMTP')
  socket.setEncoding('latin1')
  socket.on('data', (chunk: string) => {
    text += chunk
    void next()
  })
}
