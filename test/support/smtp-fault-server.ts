// An SMTP server that misbehaves on request: by option for what happens before a mail, by the local part of the
// recipient (up to a "+") for one mail. Commands are handled strictly in sequence. The protocol stays whole.
import { createServer, type Server, type Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Certificates } from './certificates.ts'

export interface FaultOptions {
  /** What a new connection meets. `fin` closes, `rst` resets, `none` stays silent, a number is the greeting's code. */
  greeting?: 'fin' | 'rst' | 'none' | number
  pipelining?: boolean
  tls?: 'none' | 'starttls' | 'implicit'
  /** Clear text sent together with the 220 to STARTTLS, as a man in the middle would. */
  injected?: string
  /** EHLO is unknown: only HELO is understood. */
  old?: boolean
  /** Mechanisms in the EHLO reply. */
  auth?: string[]
  username?: string
  password?: string
  /** The reply to wrong credentials. */
  refusal?: string
  /** More lines of the EHLO reply. */
  extensions?: string[]
  /** Reply to MAIL instead of 250. */
  mail?: string
  /** The server ends each session with this many mails by 421. */
  limit?: number
}

export interface FaultSession {
  /** As received, without CRLF; the credentials' lines too. */
  commands: string[]
  messages: { from: string; to: string[]; data: string }[]
  /** Commands that came before the reply they had to wait for. */
  ahead: string[]
  encrypted: boolean
  closed: boolean
}

export interface FaultServer {
  port: number
  sessions: FaultSession[]
  close(): Promise<void>
}

export async function startFaultServer(options: FaultOptions, certificates: Certificates): Promise<FaultServer> {
  const sessions: FaultSession[] = []
  const open = new Set<Socket>()
  // Without noDelay each of several small replies waits 40 ms for the acknowledgement of the one before.
  const server: Server = createServer({ noDelay: true }, (socket) => {
    open.add(socket)
    socket.on('close', () => open.delete(socket)).on('error', () => {})
    const session: FaultSession = { commands: [], messages: [], ahead: [], encrypted: false, closed: false }
    sessions.push(session)
    if (options.greeting === 'fin') return void socket.end()
    if (options.greeting === 'rst') return void socket.resetAndDestroy()
    new Conversation(socket, session, options, certificates)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    sessions,
    close: () => {
      for (const socket of open) socket.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

class Conversation {
  #socket: Socket
  #text = ''
  #data: string | null = null
  #from = ''
  #to: string[] = []
  /** The behaviour named by the recipient of this transaction. */
  #fault = ''
  #login: string[] | null = null
  /** No further command is looked at. */
  #deaf = false
  /** A reply is under way; the next command waits. */
  #busy = false
  readonly #session: FaultSession
  readonly #options: FaultOptions
  readonly #certificates: Certificates

  constructor(socket: Socket, session: FaultSession, options: FaultOptions, certificates: Certificates) {
    this.#session = session
    this.#options = options
    this.#certificates = certificates
    this.#socket = socket
    if (options.tls === 'implicit') this.#encrypt()
    else this.#listen()
    const { greeting } = options
    if (greeting === 'none') this.#deaf = true
    else this.#reply(typeof greeting === 'number' ? `${greeting} fault server says no` : '220 fault.example ESMTP')
    if (typeof greeting === 'number') this.#end()
  }

  #listen() {
    this.#socket.on('error', () => {})
    this.#socket.on('close', () => {
      this.#session.closed = true
    })
    this.#socket.on('data', (chunk) => {
      this.#text += chunk.toString('utf8')
      this.#next()
    })
  }

  #encrypt() {
    this.#socket.removeAllListeners('data')
    const { cert, key } = this.#certificates
    this.#socket = new TLSSocket(this.#socket, { isServer: true, cert, key })
    this.#session.encrypted = true
    this.#listen()
  }

  #reply(text: string) {
    this.#socket.write(`${text}\r\n`)
  }

  #end() {
    this.#deaf = true
    this.#socket.end()
  }

  #next() {
    while (!this.#deaf && !this.#busy) {
      if (this.#data !== null) {
        this.#data += this.#text
        this.#text = ''
        // A message may be empty: the dot then stands at its very start.
        const end = this.#data.startsWith('.\r\n') ? 0 : this.#data.indexOf('\r\n.\r\n') + 2
        if (end === 1) return
        this.#text = this.#data.slice(end + 3)
        const data = this.#data.slice(0, end)
        this.#data = null
        this.#received(data)
        continue
      }
      const end = this.#text.indexOf('\r\n')
      if (end < 0) return
      const line = this.#text.slice(0, end)
      this.#text = this.#text.slice(end + 2)
      this.#session.commands.push(line)
      const groups = this.#options.pipelining && /^(?:MAIL|RCPT|RSET)/i.test(line)
      if (this.#text !== '' && !groups) this.#session.ahead.push(line)
      this.#command(line)
    }
  }

  #command(line: string) {
    if (this.#login) return this.#loginLine(line)
    const verb = line.slice(0, 4).toUpperCase()
    if (verb === 'EHLO') return this.#hello()
    if (verb === 'HELO') return this.#reply('250 fault.example')
    if (verb === 'STAR') return this.#startTls()
    if (verb === 'AUTH') return this.#auth(line)
    if (verb === 'MAIL') return this.#mail(line)
    if (verb === 'RCPT') return this.#rcpt(line)
    if (verb === 'DATA') return this.#dataCommand()
    if (verb === 'RSET') {
      this.#clear()
      return this.#reply('250 2.0.0 reset')
    }
    if (verb === 'QUIT') {
      this.#reply('221 2.0.0 bye')
      return this.#end()
    }
    this.#reply('500 5.5.1 what?')
  }

  #hello() {
    if (this.#options.old) return this.#reply('502 5.5.1 EHLO not implemented')
    const lines = ['fault.example', ...(this.#options.extensions ?? [])]
    if (this.#options.pipelining) lines.push('PIPELINING')
    if (this.#options.tls === 'starttls' && !this.#session.encrypted) lines.push('STARTTLS')
    if (this.#options.auth) lines.push(`AUTH ${this.#options.auth.join(' ')}`)
    this.#reply(lines.map((line, i) => `250${i === lines.length - 1 ? ' ' : '-'}${line}`).join('\r\n'))
  }

  #startTls() {
    if (this.#options.injected === undefined) this.#reply('220 2.0.0 go ahead')
    else this.#socket.write(`220 2.0.0 go ahead\r\n${this.#options.injected}`)
    this.#encrypt()
  }

  #auth(line: string) {
    const [, mechanism, initial] = line.split(' ')
    if (mechanism?.toUpperCase() === 'PLAIN' && initial) {
      const [, username, password] = Buffer.from(initial, 'base64').toString('utf8').split('\0')
      return this.#verdict(username, password)
    }
    this.#login = []
    this.#reply('334 VXNlcm5hbWU6')
  }

  #loginLine(line: string) {
    const given = [...(this.#login ?? []), Buffer.from(line, 'base64').toString('utf8')]
    this.#login = given
    if (given.length === 1) return this.#reply('334 UGFzc3dvcmQ6')
    this.#login = null
    this.#verdict(given[0], given[1])
  }

  #verdict(username: string | undefined, password: string | undefined) {
    const right = username === this.#options.username && password === this.#options.password
    this.#reply(right ? '235 2.7.0 welcome' : (this.#options.refusal ?? '535 5.7.8 wrong credentials'))
  }

  #mail(line: string) {
    if (this.#from !== '') return this.#reply('503 5.5.1 a mail is under way')
    const match = /^MAIL FROM:<([^>\s]*)>(?: \S+)*$/i.exec(line)
    if (!match) return this.#reply('501 5.5.4 syntax')
    if (this.#options.mail !== undefined) return this.#reply(this.#options.mail)
    if (this.#options.limit !== undefined && this.#session.messages.length >= this.#options.limit) {
      this.#reply('421 4.7.0 enough for one session')
      return this.#end()
    }
    this.#from = match[1] ?? ''
    this.#reply('250 2.1.0 ok')
  }

  #rcpt(line: string) {
    const match = /^RCPT TO:<([^>\s]+)>(?: \S+)*$/i.exec(line)
    if (!match) return this.#reply('501 5.5.4 syntax')
    if (this.#from === '') return this.#reply('503 5.5.1 MAIL first')
    const address = match[1] ?? ''
    this.#fault = address.split(/[+@]/)[0] ?? ''
    switch (this.#fault) {
      case 'g450':
        return this.#reply('450 4.2.0 Greylisted, come back later')
      case 'u550':
      case 'bad354':
        return this.#reply(`550 5.1.1 <${address}>: no such user`)
      case 'bare550':
        return this.#reply('550 User unknown')
      case 'policy550':
        return this.#reply('550 5.7.1 not from you')
      case 'full552':
        return this.#reply('552 too many recipients')
      case 'r421':
        this.#reply('421 4.3.2 going down')
        return this.#end()
      case 'drop':
        this.#deaf = true
        return void this.#socket.destroy()
      case 'fin':
        return this.#end()
      case 'hang':
        this.#deaf = true
        return
      case 'garbage':
        return this.#reply('hello, this is no SMTP reply')
      case 'split':
        this.#to.push(address)
        return this.#slowly(['25', '0 2.1.', '5 o', 'k\r', '\n'])
      case 'multi':
        this.#to.push(address)
        return this.#reply('250-2.1.5 first line\r\n250-2.1.5 second line\r\n250 2.1.5 ok')
      default:
        this.#to.push(address)
        return this.#reply('250 2.1.5 ok')
    }
  }

  #dataCommand() {
    if (this.#fault === 'data451') return this.#reply('451 4.3.0 not now')
    if (this.#fault === 'data250') return this.#reply('250 what a strange answer')
    if (this.#to.length === 0 && this.#fault !== 'bad354') return this.#reply('554 5.5.1 no valid recipients')
    this.#data = ''
    this.#reply('354 go on')
  }

  #received(data: string) {
    const [from, to, fault] = [this.#from, this.#to, this.#fault]
    this.#clear()
    if (fault === 'bad354') return this.#reply('554 5.5.1 no valid recipients')
    if (fault === 'dot451') return this.#reply('451 4.3.0 try later')
    if (fault === 'dot550') return this.#reply('550 5.7.1 content refused')
    if (fault === 'dot421') {
      this.#reply('421 4.3.2 going down')
      return this.#end()
    }
    this.#session.messages.push({ from, to, data })
    if (fault === 'dotdrop') {
      this.#deaf = true
      return void this.#socket.destroy()
    }
    if (fault === 'dothang') {
      this.#deaf = true
      return
    }
    if (fault === 'dotslow') return this.#slowly(['', '', '', '250 2.0.0 queued at last\r\n'])
    if (fault === 'split') return this.#slowly(['2', '5', '0', '-2.0.0 one\r', '\n250 2.0.0 t', 'wo\r\n'])
    this.#reply('250 2.0.0 queued')
  }

  #clear() {
    this.#from = ''
    this.#to = []
    this.#fault = ''
  }

  /** One piece at a time, each in a packet of its own. */
  async #slowly(pieces: string[]) {
    this.#busy = true
    for (const piece of pieces) {
      if (piece !== '') this.#socket.write(piece)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    this.#busy = false
    this.#next()
  }
}
